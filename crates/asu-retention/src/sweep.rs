//! Deleting what a plan says, one at a time, the record before its images.

use std::error::Error;

use asu_core::RequestHash;
use asu_queue::{Queue, SweepTurn};
use asu_store::{BinDir, Store};

use crate::{Config, Inventory, Limits, Plan, Reason, Removal, RetentionError};

/// What a sweep did.
#[derive(Debug, Default)]
pub struct Swept {
    /// What went.
    pub removed: Vec<Removal>,
    /// What could not be deleted; the next sweep tries again.
    pub failed: Vec<BinDir>,
}

/// What [`sweep`] would do now.
///
/// # Errors
/// The queue or the store cannot be asked.
pub async fn plan(queue: &Queue, store: &Store, config: &Config) -> Result<Plan, RetentionError> {
    let inventory = Inventory::take(queue, store).await?;
    let limits = limits(store, config).await?;
    Ok(Plan::of(&inventory, &limits))
}

/// Deletes what is to go. `None` if another process is at it: only one at a time goes by the sizes that it saw.
///
/// # Errors
/// The queue or the store cannot be asked, before or in between. Whatever was begun is finished by the next sweep: images
/// stay on the queue's list until they are deleted.
pub async fn sweep(queue: &Queue, store: &Store, config: &Config) -> Result<Option<Swept>, RetentionError> {
    let Some(turn) = queue.sweep_turn().await? else { return Ok(None) };
    let swept = sweep_in_turn(queue, store, config, &turn).await;
    // It ends by itself if this fails.
    let _ = turn.end().await;
    swept.map(Some)
}

async fn sweep_in_turn(
    queue: &Queue,
    store: &Store,
    config: &Config,
    turn: &SweepTurn,
) -> Result<Swept, RetentionError> {
    let plan = plan(queue, store, config).await?;
    let mut swept = Swept::default();
    for removal in plan.removals {
        if !turn.keep().await? {
            return Ok(swept);
        }
        carry_out(queue, store, removal, &mut swept).await?;
    }
    for bin_dir in plan.forgotten {
        queue.unlist(&request_hash(&bin_dir), bin_dir.as_str()).await?;
    }
    Ok(swept)
}

async fn carry_out(queue: &Queue, store: &Store, removal: Removal, swept: &mut Swept) -> Result<(), RetentionError> {
    let Removal { bin_dir, reason, size } = &removal;
    // They may have been published after the store was looked through.
    if *reason == Reason::Vanished && store.contains(bin_dir).await? {
        return Ok(());
    }
    let request_hash = request_hash(bin_dir);
    if !queue.evict(&request_hash, bin_dir.as_str()).await? {
        return Ok(());
    }
    if let Err(error) = store.remove(bin_dir).await {
        let cause = error.source().map(ToString::to_string).unwrap_or_default();
        tracing::warn!(%bin_dir, %error, cause, "images that nobody wants cannot be deleted");
        swept.failed.push(bin_dir.clone());
        return Ok(());
    }
    queue.unlist(&request_hash, bin_dir.as_str()).await?;
    tracing::info!(%bin_dir, reason = reason.as_str(), size, "images deleted");
    swept.removed.push(removal);
    Ok(())
}

/// An eighth more than the floor is kept free, so that workers never have to stop for it while there is something to
/// delete.
async fn limits(store: &Store, config: &Config) -> Result<Limits, RetentionError> {
    let floor = config.store_min_free.get();
    let wanted = floor.saturating_add(floor / 8);
    let lacking = store.free_space().await?.map_or(0, |space| wanted.saturating_sub(space.free));
    let max_size = Some(config.store_max_size.get()).filter(|most| *most > 0);
    Ok(Limits { max_size, lacking, grace: config.sweep_grace.get() })
}

pub(crate) fn request_hash(bin_dir: &BinDir) -> RequestHash {
    RequestHash::parse(bin_dir.request_hash()).expect("the name of stored images begins with a request's hash")
}
