//! The worker as a process of its own.

use asu_queue::Queue;
use asu_service::{Condition, Health, HttpMetrics, Service, Shutdown, edge, error_chain, operations, registry, serve};
use tokio::net::TcpListener;

use crate::{Config, Worker};

/// What this process is called.
pub const SERVICE: Service = Service {
    name: "asu-worker",
    version: env!("CARGO_PKG_VERSION"),
    about: env!("CARGO_PKG_DESCRIPTION"),
    listen: "0.0.0.0:8002",
};

/// Takes builds, and serves health and metrics, until the shutdown.
///
/// # Errors
/// Settings that contradict each other, or a store that cannot be made.
pub async fn run(config: Config, listener: TcpListener, shutdown: Shutdown) -> anyhow::Result<()> {
    let mut registry = registry(&SERVICE);
    let http = HttpMetrics::register(&mut registry);
    let queue = Queue::connect(&config.queue)?;
    let worker = Worker::new(&config, queue.clone(), &mut registry).await?;
    let health = worker.health(Health::new(&SERVICE, &config.service, &shutdown)).with_check("redis", move || {
        let queue = queue.clone();
        async move { Condition::from_result(queue.ping().await.map_err(|error| error_chain(&error))) }
    });
    let app = edge(operations(health, registry).into(), &config.service, &http);
    let worker = shutdown.spawn("builds", worker.run(shutdown.clone()));
    serve(listener, app, &shutdown, &config.service).await;
    worker.await?;
    Ok(())
}
