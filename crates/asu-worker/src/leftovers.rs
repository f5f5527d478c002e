//! Removing what dead workers left: containers whose attempt holds no build any more, and unfinished images.
//!
//! The queue knows which attempts hold a build. A container of any other attempt is wanted by nobody: its worker died,
//! or lost the build and has not noticed yet. So it does not matter who made it, what workers are called, or which of
//! them on this Podman finds it first. Only a worker that is just done with a build gets the time to remove its
//! container itself.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use asu_service::error_chain;
use tokio::time::{Instant, sleep};

use crate::{
    labels::{ATTEMPT, QUEUE, attempt_of},
    workshop::Workshop,
};

/// Between two looks through the store.
const STORE_LOOK: Duration = Duration::from_secs(600);

/// Unfinished images that nobody has added to for so long are dead, also where the file system knows no locks.
const ABANDONED: Duration = Duration::from_secs(24 * 3600);

/// Looks for leavings as long as nobody drops it, four times in the length of a lease: the container of a dead worker is
/// gone little more than a lease after its build was taken by another one.
pub(crate) async fn keep_clean(workshop: &Workshop) {
    let pause = workshop.config.queue.lease.get() / 4;
    let mut swept: Option<Instant> = None;
    let mut unwanted = BTreeMap::new();
    loop {
        if swept.is_none_or(|at| at.elapsed() >= STORE_LOOK) {
            sweep_store(workshop).await;
            swept = Some(Instant::now());
        }
        if let Some(found) = unwanted_attempts(workshop).await {
            remove_overdue(workshop, found, &mut unwanted).await;
        }
        workshop.snapshots.remove_old().await;
        sleep(pause).await;
    }
}

async fn sweep_store(workshop: &Workshop) {
    match workshop.store.sweep_temporary(ABANDONED).await {
        Ok(0) => {}
        Ok(count) => {
            workshop.metrics.leftovers.inc_by(count as u64);
            tracing::warn!(count, "removed unfinished images of dead workers");
        }
        Err(error) => tracing::warn!(error = error_chain(&error), "cannot look for unfinished images"),
    }
}

/// The attempts that have containers and hold no build; `None` if Podman or the queue cannot be asked. Containers are
/// listed before the queue is asked: an attempt that is over then was over for any container listed.
async fn unwanted_attempts(workshop: &Workshop) -> Option<BTreeSet<String>> {
    let queue = workshop.queue.id().await.ok()?;
    let containers = workshop.podman.list(QUEUE, &queue).await.ok()?;
    workshop.metrics.containers.set(i64::try_from(containers.len()).unwrap_or(i64::MAX));
    if containers.is_empty() {
        return Some(BTreeSet::new());
    }
    let running = workshop.queue.running_attempts().await.ok()?;
    let attempts = containers.iter().filter_map(|name| attempt_of(name));
    let unwanted = attempts.filter(|attempt| !running.iter().any(|held| held.as_str() == *attempt));
    Some(unwanted.map(str::to_owned).collect())
}

/// `since` remembers from look to look how long an attempt has been unwanted. A lease's length of it, and its worker is
/// as dead to us as one that does not beat.
async fn remove_overdue(workshop: &Workshop, found: BTreeSet<String>, since: &mut BTreeMap<String, Instant>) {
    let grace = workshop.config.queue.lease.get();
    since.retain(|attempt, _| found.contains(attempt));
    for attempt in found {
        let first_seen = *since.entry(attempt.clone()).or_insert_with(Instant::now);
        if first_seen.elapsed() >= grace {
            remove(workshop, &attempt).await;
        }
    }
}

async fn remove(workshop: &Workshop, attempt: &str) {
    match workshop.podman.remove_leftovers(ATTEMPT, attempt).await {
        Ok(names) => {
            workshop.metrics.leftovers.inc_by(names.len() as u64);
            tracing::warn!(containers = names.join(", "), "removed containers that a worker left");
        }
        Err(error) => tracing::warn!(attempt, error = error_chain(&error), "cannot remove what a worker left"),
    }
}
