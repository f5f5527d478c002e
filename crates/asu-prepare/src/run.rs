//! The prepare service as a process.

use std::sync::Arc;

use asu_intake::{Intake, describe_requests, keep_upstream_fresh, upstream_condition};
use asu_service::{Health, HttpMetrics, Service, Shutdown, documented, edge, operations, registry, serve};
use asu_upstream::Catalogs;
use tokio::net::TcpListener;

use crate::{
    config::Config,
    metrics::PrepareMetrics,
    prepare::{Prepare, routes},
};

/// What this process is called.
pub const SERVICE: Service = Service {
    name: "asu-prepare",
    version: env!("CARGO_PKG_VERSION"),
    about: env!("CARGO_PKG_DESCRIPTION"),
    listen: "0.0.0.0:8001",
};

/// Serves until the shutdown.
///
/// # Errors
/// Settings that contradict each other.
pub async fn run(config: Config, listener: TcpListener, shutdown: Shutdown) -> anyhow::Result<()> {
    let mut registry = registry(&SERVICE);
    let http = HttpMetrics::register(&mut registry);
    let catalogs = Catalogs::new(&config.upstream)?;
    let prepare = Prepare {
        intake: Arc::new(Intake::new(&config.intake, catalogs.clone())?),
        body_limit: config.service.body_limit(),
        metrics: PrepareMetrics::register(&mut registry),
    };
    let upstream = catalogs.clone();
    let health = Health::new(&SERVICE, &config.service, &shutdown).with_check("upstream", move || {
        let condition = upstream_condition(&upstream);
        async move { condition }
    });
    keep_upstream_fresh(catalogs, &mut registry, &shutdown);
    let router = routes(prepare).merge(operations(health, registry));
    let router = documented(router, &SERVICE, |document| describe_requests(document, &config.intake))?;
    let app = edge(router, &config.service, &http);
    serve(listener, app, &shutdown, &config.service).await;
    Ok(())
}
