//! Removing what dead workers left: containers whose attempt holds no build any more, and unfinished images.
//!
//! The queue knows which attempts hold a build. A container of any other attempt is wanted by nobody: its worker died,
//! or lost the build and has not noticed yet. So it does not matter who made it, what workers are called, or which of
//! them on this Podman finds it first.

use std::{collections::BTreeSet, time::Duration};

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

/// Looks for leavings as long as nobody drops it: twice in the length of a lease, so that the container of a dead worker
/// is gone seconds after its build was taken by another one.
pub(crate) async fn keep_clean(workshop: &Workshop) {
    let pause = workshop.config.queue.lease.get() / 2;
    let mut swept: Option<Instant> = None;
    loop {
        if swept.is_none_or(|at| at.elapsed() >= STORE_LOOK) {
            sweep_store(workshop).await;
            swept = Some(Instant::now());
        }
        remove_containers(workshop).await;
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

/// Containers are listed before the queue is asked: an attempt that is over then was over for any container listed.
async fn remove_containers(workshop: &Workshop) {
    let Ok(queue) = workshop.queue.id().await else { return };
    let Ok(containers) = workshop.podman.list(QUEUE, &queue).await else { return };
    workshop.metrics.containers.set(i64::try_from(containers.len()).unwrap_or(i64::MAX));
    if containers.is_empty() {
        return;
    }
    let Ok(running) = workshop.queue.running_attempts().await else { return };
    let attempts: BTreeSet<&str> = containers.iter().filter_map(|name| attempt_of(name)).collect();
    for attempt in attempts {
        if !running.iter().any(|held| held.as_str() == attempt) && !workshop.ended.contains_key(attempt) {
            remove(workshop, attempt).await;
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
