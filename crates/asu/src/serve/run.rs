//! The three services over the same parts: one catalog, one queue, one port.

use std::sync::Arc;

use asu_build::Build;
use asu_intake::{Intake, describe_requests, keep_upstream_fresh};
use asu_prepare::{Prepare, PrepareMetrics};
use asu_queue::Queue;
use asu_service::{Health, HttpMetrics, Shutdown, documented, edge, operations, registry};
use asu_store::Store;
use asu_upstream::Catalogs;
use asu_worker::Worker;
use tokio::net::TcpListener;

use crate::serve::{Config, SERVICE};

/// Serves and builds until the shutdown.
///
/// # Errors
/// Settings that contradict each other, or a store that cannot be made.
pub(super) async fn run(config: &Config, listener: TcpListener, shutdown: Shutdown) -> anyhow::Result<()> {
    let mut registry = registry(&SERVICE);
    let http = HttpMetrics::register(&mut registry);
    let catalogs = Catalogs::new(&config.build.upstream)?;
    let intake = Arc::new(Intake::new(&config.build.intake, catalogs.clone())?);
    let queue = Queue::connect(&config.build.queue)?;
    let store = Store::open(&config.build.store).await?;
    let worker = Worker::new(&config.worker, queue.clone(), &mut registry).await?;
    let prepare = Prepare {
        intake: Arc::clone(&intake),
        body_limit: config.build.service.body_limit(),
        metrics: PrepareMetrics::register(&mut registry),
    };
    let build = Build::new(&config.build, catalogs.clone(), intake, queue, store, &mut registry, &shutdown);
    let health = Health::new(&SERVICE, &config.build.service, &shutdown);
    let health = worker.health(build.checks(health, catalogs.clone()));
    keep_upstream_fresh(catalogs, &mut registry, &shutdown);
    let routes = asu_build::routes(build).merge(asu_prepare::routes(prepare)).merge(operations(health, registry));
    let routes = documented(routes, &SERVICE, |document| describe_requests(document, &config.build.intake))?;
    let worker = shutdown.spawn("builds", worker.run(shutdown.clone()));
    asu_service::serve(listener, edge(routes, &config.build.service, &http), &shutdown, &config.build.service).await;
    Ok(worker.await?)
}
