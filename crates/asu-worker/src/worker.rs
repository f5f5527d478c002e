//! The worker: takes builds as long as it can run them, and tidies up.

use std::{sync::Arc, time::Duration};

use apalis::prelude::{BoxDynError, Data, Monitor, WorkerBuilder, WorkerBuilderExt};
use asu_config::SettingsError;
use asu_queue::{Claim, Gate, Queue};
use asu_sandbox::{Podman, SandboxError};
use asu_service::{Condition, Health, Shutdown, error_chain};
use asu_store::{Store, StoreError};
use asu_upstream::InvalidUpstream;
use moka::future::Cache;
use prometheus_client::registry::Registry;
use tokio::sync::Notify;
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use crate::{
    attempt::attempt,
    config::Config,
    container_limits::with_derived,
    images::Images,
    leftovers::keep_clean,
    machine::Machine,
    metrics::Metrics,
    pause::{Pause, PauseReason},
    pruning::keep_pruned,
    self_made::SelfMade,
    signing::SigningKey,
    snapshots::Snapshots,
    sweeping::keep_swept,
    upstream::Upstream,
    watch::Watch,
    worker_identity::WorkerIdentity,
    workshop::Workshop,
};

/// More ImageBuilders than a server builds with.
const MOST_INFOS: u64 = 1000;

const UNSIGNED: &str = "images are not signed: build_key is not set";

/// So much of the grace of a shutdown is for giving back builds that did not finish and for removing their containers,
/// unless that is more than half of it.
const GIVING_BACK: Duration = Duration::from_secs(6);

/// Takes builds from the queue and runs them. Part of a process: the queue, the metrics and the end are given to it.
#[derive(Debug)]
pub struct Worker {
    workshop: Arc<Workshop>,
    gate: Gate,
}

/// A worker that cannot even begin.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WorkerError {
    /// The settings cannot be used.
    #[error("the worker's settings cannot be used")]
    Settings(#[source] SettingsError),
    /// Podman is where it cannot be reached at all.
    #[error("the worker needs Podman")]
    Podman(#[source] SandboxError),
    /// Upstream can never be asked.
    #[error("the worker needs an upstream")]
    Upstream(#[source] InvalidUpstream),
    /// There is no place for images.
    #[error("the worker needs a store")]
    Store(#[source] StoreError),
}

impl Worker {
    /// Prepares a worker that takes nothing yet. Redis and Podman may be away.
    ///
    /// # Errors
    /// Settings or a key that cannot be used, or a store that cannot be made.
    pub async fn new(config: &Config, queue: Queue, registry: &mut Registry) -> Result<Self, WorkerError> {
        let metrics = Metrics::register(registry);
        let mut config = config.clone();
        config.sandbox = with_derived(&config.sandbox, &Machine::read(), config.worker.concurrency);
        let podman = Podman::connect(&config.sandbox).map_err(WorkerError::Podman)?;
        let store = Store::open(&config.store).await.map_err(WorkerError::Store)?;
        let self_made = SelfMade::new(&config, &podman)?;
        let signing_key = SigningKey::load(&config.worker.build_key).map_err(WorkerError::Settings)?;
        if signing_key.is_none() {
            tracing::info!("{UNSIGNED}");
        }
        let gate = Gate::open();
        let pause = Pause::until_seen(gate.clone(), metrics.clone());
        let identity = WorkerIdentity::new(&config.worker.worker_name);
        let asked = (queue.clone(), identity.name().clone());
        let workshop = Workshop {
            allow_list: config.worker.allow_list().map_err(WorkerError::Settings)?,
            cache: config.worker.cache().map_err(WorkerError::Settings)?,
            identity,
            queue,
            images: Images::new(podman.clone(), metrics.clone(), self_made, config.worker.image_pull_interval.get()),
            signing_key,
            upstream: Upstream::new(&config.upstream).map_err(WorkerError::Upstream)?,
            snapshots: Snapshots::new(podman.clone(), config.upstream.upstream_ttl.get()),
            infos: Cache::new(MOST_INFOS),
            watch: Watch::new(podman.clone(), store.clone(), asked, pause, metrics.clone()),
            podman,
            store,
            metrics,
            published: Notify::new(),
            kill: CancellationToken::new(),
            config,
        };
        Ok(Self { workshop: Arc::new(workshop), gate })
    }

    /// Adds what the worker needs to `/ready`.
    #[must_use]
    pub fn health(&self, health: Health) -> Health {
        let signing = match &self.workshop.signing_key {
            Some(_) => Condition::Ok,
            None => Condition::Note(UNSIGNED.to_owned()),
        };
        let health = health.with_check("signing", move || std::future::ready(signing.clone()));
        PauseReason::ALL.into_iter().fold(health, |health, reason| {
            let watch = Arc::clone(&self.workshop.watch);
            health.with_check(reason.as_str(), move || {
                let condition: Condition = watch.pause().condition(reason);
                async move { condition }
            })
        })
    }

    /// Takes and runs builds until the shutdown begins; then lets those that run finish within the grace, ends the
    /// others, gives them back, and removes their containers.
    pub async fn run(self, shutdown: Shutdown) {
        let workshop = self.workshop;
        let _helpers = [
            helper(&workshop, |workshop| async move { workshop.watch.keep().await }),
            helper(&workshop, |workshop| async move { keep_clean(&workshop).await }),
            helper(&workshop, |workshop| async move { keep_swept(&workshop).await }),
            helper(&workshop, |workshop| async move { keep_pruned(&workshop).await }),
            helper(&workshop, {
                let shutdown = shutdown.clone();
                |workshop| kill_in_time(workshop, shutdown)
            }),
        ];
        let sandbox = &workshop.config.sandbox;
        tracing::info!(
            worker = %workshop.identity.name(),
            concurrency = workshop.config.worker.concurrency,
            container.cpus = sandbox.container_cpus,
            container.memory = sandbox.container_memory.get(),
            container.pids = sandbox.container_pids,
            "working"
        );
        monitor(Arc::clone(&workshop), self.gate, shutdown.clone()).await;
        let left = workshop.podman.drain(shutdown.grace_left(grace(&workshop))).await;
        if !left.is_empty() {
            tracing::warn!(containers = left.join(", "), "containers are left; Podman or the next worker removes them");
        }
    }
}

fn helper<F>(workshop: &Arc<Workshop>, task: impl FnOnce(Arc<Workshop>) -> F) -> AbortOnDropHandle<()>
where
    F: Future<Output = ()> + Send + 'static,
{
    AbortOnDropHandle::new(tokio::spawn(task(Arc::clone(workshop))))
}

fn grace(workshop: &Workshop) -> Duration {
    workshop.config.service.shutdown_grace.get()
}

/// How long running builds may go on after the shutdown began.
fn time_to_finish(grace: Duration) -> Duration {
    grace.saturating_sub(GIVING_BACK).max(grace / 2)
}

async fn kill_in_time(workshop: Arc<Workshop>, shutdown: Shutdown) {
    shutdown.begun().await;
    tokio::time::sleep(shutdown.grace_left(time_to_finish(grace(&workshop)))).await;
    workshop.kill.cancel();
}

/// apalis runs the builds. Whatever ends its worker, another one takes its place.
async fn monitor(workshop: Arc<Workshop>, gate: Gate, shutdown: Shutdown) {
    let (grace, concurrency) = (grace(&workshop), workshop.config.worker.concurrency);
    let monitor = Monitor::new()
        .should_restart(|worker, error| {
            tracing::error!(worker = worker.name(), error = error_chain(error), "the worker is started again");
            true
        })
        .shutdown_timeout(grace)
        .register(move |_restarts| {
            let name = workshop.identity.name();
            WorkerBuilder::new(name.as_str())
                .backend(workshop.queue.builds(name, concurrency, &gate))
                .data(Arc::clone(&workshop))
                .catch_panic()
                .concurrency(concurrency)
                .build(handle)
        });
    let ended = monitor.run_with_signal(async move {
        shutdown.begun().await;
        Ok(())
    });
    if let Err(error) = ended.await {
        tracing::error!(error = error_chain(&error), "the workers did not end in order");
    }
}

/// Never an error: apalis would run the build again by itself. A panic drops the lease, which counts the attempt.
async fn handle(claim: Claim, workshop: Data<Arc<Workshop>>) -> Result<(), BoxDynError> {
    attempt(&workshop, claim).await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_the_grace_is_for_giving_back() {
        for (grace, builds) in [(30, 24), (8, 4), (2, 1), (0, 0)] {
            assert_eq!(time_to_finish(Duration::from_secs(grace)), Duration::from_secs(builds));
        }
    }
}
