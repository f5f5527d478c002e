//! When the worker takes no builds: while a build taken now could not be run.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};

use asu_queue::{Gate, Hold};
use asu_service::Condition;

use crate::metrics::Metrics;

/// What keeps the worker from taking builds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum PauseReason {
    /// Podman does not answer, or starts no containers.
    Podman,
    /// The store is nearly full or cannot be written.
    Store,
    /// An operator said so.
    Drained,
}

impl PauseReason {
    pub(crate) const ALL: [Self; 3] = [Self::Podman, Self::Store, Self::Drained];

    /// The label of the metric, and the name in `/ready`.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Podman => "podman",
            Self::Store => "store",
            Self::Drained => "drained",
        }
    }
}

/// The reasons not to take builds, each said once when it comes and once when it goes.
#[derive(Debug)]
pub(crate) struct Pause {
    gate: Gate,
    metrics: Metrics,
    holds: Mutex<BTreeMap<PauseReason, (String, Hold)>>,
}

impl Pause {
    /// Nothing is taken until somebody has looked.
    pub(crate) fn until_seen(gate: Gate, metrics: Metrics) -> Self {
        let first = PauseReason::Podman;
        metrics.set_paused(first, true);
        let holds = BTreeMap::from([(first, ("not looked at yet".to_owned(), gate.hold(first.as_str())))]);
        Self { gate, metrics, holds: Mutex::new(holds) }
    }

    /// No more builds for this reason.
    pub(crate) fn begin(&self, reason: PauseReason, why: &dyn fmt::Display) {
        let mut holds = self.holds();
        let why = why.to_string();
        if let Some((latest, _)) = holds.get_mut(&reason) {
            *latest = why;
            return;
        }
        tracing::warn!(reason = reason.as_str(), why, "taking no builds");
        holds.insert(reason, (why, self.gate.hold(reason.as_str())));
        self.metrics.set_paused(reason, true);
    }

    /// Builds again, as far as this reason goes.
    pub(crate) fn end(&self, reason: PauseReason) {
        if self.holds().remove(&reason).is_some() {
            tracing::info!(reason = reason.as_str(), "paused no longer");
            self.metrics.set_paused(reason, false);
        }
    }

    /// True while this reason holds.
    pub(crate) fn holds_for(&self, reason: PauseReason) -> bool {
        self.holds().contains_key(&reason)
    }

    /// For `/ready`.
    pub(crate) fn condition(&self, reason: PauseReason) -> Condition {
        match self.holds().get(&reason) {
            Some((why, _)) => Condition::Failing(why.clone()),
            None => Condition::Ok,
        }
    }

    fn holds(&self) -> MutexGuard<'_, BTreeMap<PauseReason, (String, Hold)>> {
        self.holds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::registry::Registry;

    use super::*;

    #[test]
    fn every_reason_must_go_before_builds_are_taken() {
        let gate = Gate::open();
        let pause = Pause::until_seen(gate.clone(), Metrics::register(&mut Registry::default()));
        assert!(!gate.is_open());
        pause.begin(PauseReason::Podman, &"no answer");
        pause.begin(PauseReason::Store, &"full");
        pause.begin(PauseReason::Podman, &"refused");
        assert_eq!(pause.condition(PauseReason::Podman), Condition::Failing("refused".to_owned()));
        pause.end(PauseReason::Podman);
        assert!(!gate.is_open() && !pause.holds_for(PauseReason::Podman));
        pause.end(PauseReason::Store);
        assert!(gate.is_open());
        assert_eq!(pause.condition(PauseReason::Store), Condition::Ok);
    }
}
