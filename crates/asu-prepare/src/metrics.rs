//! What the prepare service counts.

use asu_intake::{AcceptedRequest, IntakeError};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, histogram::Histogram},
    registry::Registry,
};

/// Requests by outcome, and how much the rules changed.
#[derive(Clone)]
pub struct PrepareMetrics {
    requests: Family<Outcome, Counter>,
    changes: Histogram,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    /// `prepared`, or the kind of the refusal.
    outcome: &'static str,
}

impl PrepareMetrics {
    /// Metrics that `/metrics` shows.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics =
            Self { requests: Family::default(), changes: Histogram::new([0.0, 1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0]) };
        registry.register("asu_prepare_requests", "Requests to prepare a build, by outcome", metrics.requests.clone());
        registry.register(
            "asu_prepare_changes",
            "Package changes that the rules made to a request",
            metrics.changes.clone(),
        );
        metrics
    }

    pub(crate) fn count(&self, outcome: &Result<AcceptedRequest, IntakeError>) {
        let label = match outcome {
            Ok(accepted) => {
                #[expect(clippy::cast_precision_loss, reason = "a request has some thousand packages at most")]
                self.changes.observe(accepted.changes.len() as f64);
                "prepared"
            }
            Err(error) => error.kind(),
        };
        self.requests.get_or_create(&Outcome { outcome: label }).inc();
    }
}
