//! What the build service counts.

use asu_intake::IntakeError;
use asu_queue::{BuildStatus, ClientLimit};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};

/// Build requests by what became of them.
#[derive(Clone)]
pub(crate) struct BuildMetrics {
    requests: Family<Outcome, Counter>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    /// `new`, `full`, `limited_…` by the limit of the client, `hit_…` for a known build by its state, or the kind of
    /// the refusal.
    outcome: &'static str,
}

impl BuildMetrics {
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let metrics = Self { requests: Family::default() };
        registry.register("asu_build_requests", "Requests to build, by outcome", metrics.requests.clone());
        metrics
    }

    pub(crate) fn count_new(&self) {
        self.count("new");
    }

    pub(crate) fn count_refused(&self) {
        self.count("full");
    }

    pub(crate) fn count_limited(&self, limit: ClientLimit) {
        self.count(match limit {
            ClientLimit::PendingJobs(_) => "limited_pending",
            ClientLimit::BuildsPerHour(_) => "limited_hourly",
        });
    }

    pub(crate) fn count_known(&self, status: &BuildStatus) {
        self.count(match status {
            BuildStatus::Queued { .. } => "hit_queued",
            BuildStatus::Started { .. } => "hit_started",
            BuildStatus::Done(_) => "hit_done",
            BuildStatus::Failed(_) => "hit_failed",
        });
    }

    pub(crate) fn count_invalid(&self, error: &IntakeError) {
        self.count(error.kind());
    }

    fn count(&self, outcome: &'static str) {
        self.requests.get_or_create(&Outcome { outcome }).inc();
    }
}
