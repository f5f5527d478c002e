//! Keeping the store tidy: workers do it, since they fill it.

use std::time::Duration;

use asu_retention::{Swept, sweep};
use asu_service::error_chain;
use tokio::time::sleep;

use crate::workshop::Workshop;

/// Between two sweeps, however much happens: builds that end together are swept up after together.
const PAUSE: Duration = Duration::from_secs(1);

/// Another process is at it, which may have looked before our latest build.
const OTHERS: Duration = Duration::from_secs(5);

/// Sweeps as long as nobody drops it: every `sweep_interval`, and soon after something has become too much.
pub(crate) async fn keep_swept(workshop: &Workshop) {
    let config = &workshop.config.retention;
    let has_quota = config.store_max_size.get() > 0;
    loop {
        let interval = if sweep_once(workshop).await { config.sweep_interval.get() } else { OTHERS };
        tokio::select! {
            () = sleep(interval) => {}
            () = workshop.published.notified(), if has_quota => {}
            () = workshop.watch.store_is_short() => {}
        }
        sleep(PAUSE).await;
    }
}

/// False if another process had the turn.
async fn sweep_once(workshop: &Workshop) -> bool {
    match sweep(&workshop.queue, &workshop.store, &workshop.config.retention).await {
        Ok(Some(Swept { removed, failed })) => {
            removed.iter().for_each(|removal| workshop.metrics.count_swept(removal.reason));
            if !removed.is_empty() || !failed.is_empty() {
                tracing::info!(removed = removed.len(), failed = failed.len(), "the store was swept");
            }
            true
        }
        Ok(None) => false,
        Err(error) => {
            tracing::warn!(error = error_chain(&error), "the store is not swept");
            true
        }
    }
}
