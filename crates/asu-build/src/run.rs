//! The build service as a process, and as a part of the all-in-one one.

use std::sync::Arc;

use asu_intake::{Intake, describe_requests, keep_upstream_fresh, upstream_condition};
use asu_queue::Queue;
use asu_service::{Condition, Health, HttpMetrics, Service, Shutdown, documented, edge, operations, registry, serve};
use asu_store::Store;
use asu_upstream::Catalogs;
use prometheus_client::registry::Registry;
use tokio::net::TcpListener;

use crate::{
    build::{Build, routes},
    config::Config,
    finished_answers::FinishedAnswers,
    log::Feeds,
    metrics::BuildMetrics,
    overview::Overviews,
    pages::Pages,
    provenance::BuilderId,
    queue_metrics::QueueMetrics,
    turns::Turns,
};

/// What this process is called.
pub const SERVICE: Service = Service {
    name: "asu-build",
    version: env!("CARGO_PKG_VERSION"),
    about: env!("CARGO_PKG_DESCRIPTION"),
    listen: "0.0.0.0:8000",
};

/// Serves until the shutdown.
///
/// # Errors
/// Settings that contradict each other, or a store that cannot be made.
pub async fn run(config: Config, listener: TcpListener, shutdown: Shutdown) -> anyhow::Result<()> {
    let mut registry = registry(&SERVICE);
    let http = HttpMetrics::register(&mut registry);
    let catalogs = Catalogs::new(&config.upstream)?;
    let intake = Arc::new(Intake::new(&config.intake, catalogs.clone())?);
    let queue = Queue::connect(&config.queue)?;
    let store = Store::open(&config.store).await?;
    let build = Build::new(&config, catalogs.clone(), intake, queue, store, &mut registry, &shutdown);
    let health = build.checks(Health::new(&SERVICE, &config.service, &shutdown), catalogs.clone());
    keep_upstream_fresh(catalogs, &mut registry, &shutdown);
    let router = routes(build).merge(operations(health, registry));
    let router = documented(router, &SERVICE, |document| describe_requests(document, &config.intake))?;
    let app = edge(router, &config.service, &http);
    serve(listener, app, &shutdown, &config.service).await;
    Ok(())
}

impl Build {
    /// The service over parts that others may share.
    pub fn new(
        config: &Config,
        catalogs: Catalogs,
        intake: Arc<Intake>,
        queue: Queue,
        store: Store,
        registry: &mut Registry,
        shutdown: &Shutdown,
    ) -> Self {
        QueueMetrics::watch(registry, queue.clone(), shutdown);
        Self {
            intake,
            feeds: Feeds::new(config, queue.clone(), registry, shutdown),
            queue,
            store,
            overviews: Overviews::new(config, catalogs.clone()),
            catalogs,
            finished: FinishedAnswers::new(config),
            body_limit: config.service.body_limit(),
            metrics: BuildMetrics::register(registry),
            pages: Pages::new(config),
            turns: Turns::new(config.answers.max_lookups),
            builder_id: BuilderId::new(&config.answers.provenance_builder_id),
        }
    }

    /// What this service needs in order to be ready.
    pub fn checks(&self, health: Health, catalogs: Catalogs) -> Health {
        let (queue, store) = (self.queue.clone(), self.store.clone());
        health
            .with_check("redis", move || {
                let queue = queue.clone();
                async move { Condition::from_result(queue.ping().await) }
            })
            .with_check("store", move || {
                let store = store.clone();
                async move { Condition::from_result(store.check_readable().await) }
            })
            .with_check("upstream", move || {
                let condition = without_failing(upstream_condition(&catalogs));
                async move { condition }
            })
    }
}

/// Builds that are known can be answered for without upstream, so that its absence never takes this service away.
fn without_failing(condition: Condition) -> Condition {
    match condition {
        Condition::Failing(detail) => Condition::Degraded(detail),
        Condition::Ok | Condition::Note(_) | Condition::Degraded(_) => condition,
    }
}
