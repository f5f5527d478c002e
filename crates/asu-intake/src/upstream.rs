//! What both services do about upstream: keep its metadata fresh, and tell `/ready` how it is doing.

use asu_core::Distro;
use asu_service::{Condition, Shutdown};
use asu_upstream::{Catalogs, UpstreamHealth};
use prometheus_client::registry::Registry;

use crate::upstream_metrics::show_upstream;

/// Failing while there is nothing to answer from; degraded while answers come from copies that cannot be renewed, or
/// while there is nothing to answer from for another distribution than the built-in one.
pub fn upstream_condition(catalogs: &Catalogs) -> Condition {
    let healths: Vec<_> = catalogs.iter().map(|(distro, catalog)| (distro, catalog.health())).collect();
    match healths.iter().find(|(_, health)| !health.ready) {
        Some((distro, _)) if *distro == Distro::openwrt() => {
            Condition::Failing("no metadata could be fetched yet".to_owned())
        }
        Some((distro, _)) => Condition::Degraded(format!("no metadata of {distro} could be fetched yet")),
        None => freshness(healths.iter().map(|(_, health)| health)),
    }
}

fn freshness<'a>(healths: impl Iterator<Item = &'a UpstreamHealth> + Clone) -> Condition {
    match healths.clone().map(|health| health.failing_files).sum::<usize>() {
        0 => Condition::Ok,
        count => {
            let age = healths.filter_map(|health| health.oldest_stale).max().map_or(0, |age| age.as_secs());
            Condition::Degraded(format!("{count} files cannot be fetched, the oldest copy in use is {age} s old"))
        }
    }
}

/// Keeps the catalogs fresh in a task of its own until the shutdown, and shows in the metrics how fresh they are.
pub fn keep_upstream_fresh(catalogs: Catalogs, registry: &mut Registry, shutdown: &Shutdown) {
    show_upstream(catalogs.clone(), registry);
    let stopping = shutdown.clone();
    shutdown.spawn("upstream refresh", async move {
        tokio::select! {
            () = catalogs.keep_fresh() => {}
            () = stopping.begun() => {}
        }
    });
}
