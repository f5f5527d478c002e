//! The queue in numbers, for `/metrics`.

use std::{
    sync::atomic::{AtomicI64, AtomicU64},
    time::Duration,
};

use asu_queue::Queue;
use asu_service::Shutdown;
use prometheus_client::{metrics::gauge::Gauge, registry::Registry};

/// How often the numbers are asked for.
const INTERVAL: Duration = Duration::from_secs(5);

/// Gauges that a task keeps up to date.
#[derive(Clone, Default)]
pub(crate) struct QueueMetrics {
    pending: Gauge,
    running: Gauge,
    workers: Gauge,
    slots: Gauge,
    oldest: Gauge<f64, AtomicU64>,
    reachable: Gauge<i64, AtomicI64>,
}

impl QueueMetrics {
    /// Shows the numbers and keeps them up to date until the shutdown.
    pub(crate) fn watch(registry: &mut Registry, queue: Queue, shutdown: &Shutdown) {
        let metrics = Self::default();
        registry.register("asu_queue_pending_builds", "Builds that wait", metrics.pending.clone());
        registry.register("asu_queue_running_builds", "Builds at work", metrics.running.clone());
        registry.register("asu_queue_workers", "Workers that are alive", metrics.workers.clone());
        registry.register("asu_queue_slots", "Builds that those workers run at the same time", metrics.slots.clone());
        registry.register(
            "asu_queue_oldest_pending_seconds",
            "How long the build at the head of the line has waited",
            metrics.oldest.clone(),
        );
        registry.register("asu_queue_reachable", "1 while Redis answers", metrics.reachable.clone());
        let stopping = shutdown.clone();
        shutdown.spawn("queue metrics", async move {
            loop {
                metrics.update(&queue).await;
                tokio::select! {
                    () = tokio::time::sleep(INTERVAL) => {}
                    () = stopping.begun() => return,
                }
            }
        });
    }

    async fn update(&self, queue: &Queue) {
        let Ok(counts) = queue.counts().await else {
            self.reachable.set(0);
            return;
        };
        self.reachable.set(1);
        self.pending.set(i64::try_from(counts.pending).unwrap_or(i64::MAX));
        self.running.set(i64::try_from(counts.running).unwrap_or(i64::MAX));
        self.workers.set(i64::try_from(counts.workers).unwrap_or(i64::MAX));
        self.slots.set(i64::try_from(counts.slots).unwrap_or(i64::MAX));
        self.oldest.set(counts.oldest_pending.unwrap_or_default().as_secs_f64());
    }
}
