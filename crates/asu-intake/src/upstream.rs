//! What both services do about upstream: keep its metadata fresh, and tell `/ready` how it is doing.

use asu_service::{Condition, Shutdown};
use asu_upstream::{Catalog, UpstreamHealth};

/// Failing while there is nothing to answer from; degraded while answers come from copies that cannot be renewed.
pub fn upstream_condition(catalog: &Catalog) -> Condition {
    let UpstreamHealth { ready, failing_files, oldest_stale, .. } = catalog.health();
    match (ready, failing_files) {
        (false, _) => Condition::Failing("no metadata could be fetched yet".to_owned()),
        (true, 0) => Condition::Ok,
        (true, count) => {
            let age = oldest_stale.map_or(0, |age| age.as_secs());
            Condition::Degraded(format!("{count} files cannot be fetched, the oldest copy in use is {age} s old"))
        }
    }
}

/// Keeps the catalog fresh in a task of its own until the shutdown.
pub fn keep_upstream_fresh(catalog: Catalog, shutdown: &Shutdown) {
    let stopping = shutdown.clone();
    shutdown.spawn("upstream refresh", async move {
        tokio::select! {
            () = catalog.keep_fresh() => {}
            () = stopping.begun() => {}
        }
    });
}
