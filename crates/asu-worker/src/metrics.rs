//! What the worker counts.

use std::{
    sync::atomic::{AtomicI64, AtomicU64},
    time::Duration,
};

use asu_core::Stage;
use asu_retention::Reason;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};

use crate::pause::PauseReason;

/// From a cached answer to the longest build that the default settings allow, in seconds.
const BUCKETS: [f64; 14] = [0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 320.0, 640.0];

type StageDurations = Family<StageLabel, Histogram, fn() -> Histogram>;

/// Stages, results and the state of the worker. Clones count together.
#[derive(Debug, Clone)]
pub(crate) struct Metrics {
    stages: StageDurations,
    builds: Family<ResultLabel, Counter>,
    /// Builds that run now.
    pub(crate) busy: Gauge,
    /// Images that were fetched, or found unchanged.
    pub(crate) pulls: Counter,
    /// Images that could not be fetched.
    pub(crate) pull_failures: Counter,
    /// Images that were made of archives.
    pub(crate) made: Counter,
    /// ImageBuilders of snapshots that were set up.
    pub(crate) set_ups: Counter,
    /// Those of them that could not be kept.
    pub(crate) unkept_set_ups: Counter,
    /// Containers of this queue on this Podman, of all workers.
    pub(crate) containers: Gauge,
    /// Containers and directories that dead workers left and this one removed.
    pub(crate) leftovers: Counter,
    /// Free bytes of the store's disk.
    pub(crate) disk_free: Gauge<f64, AtomicU64>,
    /// ImageBuilder images that were removed because nobody used them or they were too many.
    pub(crate) images_pruned: Counter,
    swept: Family<ReasonLabel, Counter>,
    paused: Family<ReasonLabel, Gauge<i64, AtomicI64>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StageLabel {
    stage: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResultLabel {
    /// `done`, a kind of failure, `postponed`, `dropped`, `given_back` or `lost`.
    result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabel {
    reason: &'static str,
}

impl Metrics {
    /// Metrics that `/metrics` shows.
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            stages: StageDurations::new_with_constructor(|| Histogram::new(BUCKETS)),
            builds: Family::default(),
            busy: Gauge::default(),
            pulls: Counter::default(),
            pull_failures: Counter::default(),
            made: Counter::default(),
            set_ups: Counter::default(),
            unkept_set_ups: Counter::default(),
            containers: Gauge::default(),
            leftovers: Counter::default(),
            disk_free: Gauge::default(),
            images_pruned: Counter::default(),
            swept: Family::default(),
            paused: Family::default(),
        };
        metrics.register_builds(registry);
        metrics.register_surroundings(registry);
        for reason in PauseReason::ALL {
            metrics.set_paused(reason, false);
        }
        // From nothing to one is an increase only where there was a nothing.
        drop(metrics.builds.get_or_create(&ResultLabel { result: "done" }));
        metrics
    }

    fn register_builds(&self, registry: &mut Registry) {
        let stages = ("asu_worker_stage_duration", "How long the stages of builds take");
        registry.register_with_unit(stages.0, stages.1, Unit::Seconds, self.stages.clone());
        registry.register("asu_worker_builds", "Builds by how they ended here", self.builds.clone());
        registry.register("asu_worker_busy", "Builds that run now", self.busy.clone());
    }

    fn register_surroundings(&self, registry: &mut Registry) {
        registry.register("asu_worker_pulls", "ImageBuilder images fetched or found unchanged", self.pulls.clone());
        registry.register(
            "asu_worker_pull_failures",
            "ImageBuilder images that could not be fetched",
            self.pull_failures.clone(),
        );
        registry.register("asu_worker_images_made", "ImageBuilder images made of archives", self.made.clone());
        registry.register("asu_worker_set_ups", "ImageBuilders of snapshots that were set up", self.set_ups.clone());
        registry.register(
            "asu_worker_unkept_set_ups",
            "ImageBuilders of snapshots that were set up and could not be kept",
            self.unkept_set_ups.clone(),
        );
        registry.register("asu_worker_containers", "Containers of this queue on this Podman", self.containers.clone());
        registry.register("asu_worker_leftovers", "Leavings of dead workers that were removed", self.leftovers.clone());
        registry.register_with_unit(
            "asu_worker_disk_free",
            "Free space of the store's disk",
            Unit::Bytes,
            self.disk_free.clone(),
        );
        let pruned = ("asu_worker_images_pruned", "ImageBuilder images removed by age or disk use");
        registry.register(pruned.0, pruned.1, self.images_pruned.clone());
        registry.register("asu_worker_swept", "Builds deleted from the store by this worker", self.swept.clone());
        registry.register("asu_worker_paused", "1 while no builds are taken for this reason", self.paused.clone());
    }

    pub(crate) fn observe_stage(&self, stage: Stage, duration: Duration) {
        self.stages.get_or_create(&StageLabel { stage: stage.as_str() }).observe(duration.as_secs_f64());
    }

    pub(crate) fn count_build(&self, result: &'static str) {
        self.builds.get_or_create(&ResultLabel { result }).inc();
    }

    pub(crate) fn count_swept(&self, reason: Reason) {
        self.swept.get_or_create(&ReasonLabel { reason: reason.as_str() }).inc();
    }

    pub(crate) fn set_paused(&self, reason: PauseReason, paused: bool) {
        self.paused.get_or_create(&ReasonLabel { reason: reason.as_str() }).set(i64::from(paused));
    }
}

/// Counts a running build for as long as it lives.
pub(crate) struct Busy(Gauge);

impl Busy {
    pub(crate) fn begin(metrics: &Metrics) -> Self {
        metrics.busy.inc();
        Self(metrics.busy.clone())
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.dec();
    }
}
