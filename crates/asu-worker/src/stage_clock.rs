//! How long each stage of a build takes.

use std::collections::BTreeMap;

use asu_core::Stage;
use tokio::time::Instant;

use crate::metrics::Metrics;

/// Runs from one stage to the next; the last one ends when it is dropped.
#[derive(Debug)]
pub(crate) struct StageClock {
    metrics: Metrics,
    running: Option<(Stage, Instant)>,
    durations_ms: BTreeMap<String, u64>,
}

impl StageClock {
    pub(crate) fn start(metrics: Metrics) -> Self {
        Self { metrics, running: Some((Stage::Init, Instant::now())), durations_ms: BTreeMap::new() }
    }

    pub(crate) fn enter(&mut self, stage: Stage) {
        self.stop();
        self.running = Some((stage, Instant::now()));
    }

    /// Ends the last stage, and tells how long each took.
    pub(crate) fn durations_ms(&mut self) -> BTreeMap<String, u64> {
        self.stop();
        self.durations_ms.clone()
    }

    fn stop(&mut self) {
        if let Some((stage, begun)) = self.running.take() {
            let duration = begun.elapsed();
            self.metrics.observe_stage(stage, duration);
            let duration_ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
            self.durations_ms.insert(stage.to_string(), duration_ms);
            tracing::debug!(build.stage = stage.as_str(), duration_ms, "stage ended");
        }
    }
}

impl Drop for StageClock {
    fn drop(&mut self) {
        self.stop();
    }
}
