//! How upstream is doing, for `/metrics`: what tells an operator that answers grow old.

use std::fmt;

use asu_upstream::{Catalogs, UpstreamHealth};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{MetricType, gauge::ConstGauge},
    registry::Registry,
};

/// Asked at each scrape; of all distributions together, the worst of each.
struct Upstream {
    catalogs: Catalogs,
}

/// Shows the state of upstream in a registry; once per registry.
pub(crate) fn show_upstream(catalogs: Catalogs, registry: &mut Registry) {
    registry.register_collector(Box::new(Upstream { catalogs }));
}

impl fmt::Debug for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upstream").finish_non_exhaustive()
    }
}

impl Collector for Upstream {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let healths: Vec<UpstreamHealth> = self.catalogs.iter().map(|(_, catalog)| catalog.health()).collect();
        let failing = healths.iter().map(|health| health.failing_files).sum::<usize>();
        let ready = healths.iter().all(|health| health.ready);
        let oldest = healths.iter().filter_map(|health| health.oldest_stale).max().unwrap_or_default();
        let failing = u32::try_from(failing).unwrap_or(u32::MAX);
        let mut gauge = |name, help, value: f64| {
            ConstGauge::new(value).encode(encoder.encode_descriptor(name, help, None, MetricType::Gauge)?)
        };
        gauge("asu_upstream_ready", "1 once metadata of every distribution was read", f64::from(u8::from(ready)))?;
        gauge("asu_upstream_failing_files", "Files that could not be fetched when last tried", f64::from(failing))?;
        gauge(
            "asu_upstream_stale_seconds",
            "Age of the oldest copy in use that cannot be renewed",
            oldest.as_secs_f64(),
        )
    }
}
