//! The announcement that a worker lives.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::{Queue, QueueError, WorkerName, queue::millis, scripts};

/// Announces the worker three times in the length of a lease until `stop`, then takes it back. The announcement outlives
/// a lease, so that a worker is listed for as long as its builds are.
pub(crate) async fn announce(queue: Queue, worker: WorkerName, slots: usize, stop: CancellationToken) {
    // Scripts reckon with this number; nobody runs more than that.
    let worker = format!("{worker} {}", slots.min(usize::from(u16::MAX)));
    let lease = queue.shared.config.lease.get();
    while !stop.is_cancelled() {
        say(&queue, &worker, &millis(lease * 3 / 2)).await;
        let _ = tokio::time::timeout(lease / 3, stop.cancelled()).await;
    }
    say(&queue, &worker, &Duration::ZERO.as_millis().to_string()).await;
}

async fn say(queue: &Queue, worker: &str, ttl: &str) {
    let keys = queue.shared.keys.of_all();
    let said: Result<u64, QueueError> =
        queue.shared.connection.script("announce the worker", &scripts::ANNOUNCE, &keys, &[worker, ttl]).await;
    if let Err(error) = said {
        tracing::debug!(error = crate::error::chain(&error), "the worker is not announced");
    }
}
