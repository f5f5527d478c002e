//! A whole service: what a binary's `main` and a library's `run` look like. The tests of the process start it.

use std::{convert::Infallible, process::ExitCode};

use asu_service::{Config, Health, HttpMetrics, Service, Shutdown, edge, operations, registry, serve};
use axum::{Router, routing::get};
use tokio::net::TcpListener;

const SERVICE: Service =
    Service { name: "asu-hello", version: env!("CARGO_PKG_VERSION"), about: "Says hello", listen: "127.0.0.1:0" };

fn main() -> ExitCode {
    asu_service::launch(&SERVICE, Config::load, run)
}

async fn run(config: Config, listener: TcpListener, shutdown: Shutdown) -> Result<(), Infallible> {
    let mut registry = registry(&SERVICE);
    let http = HttpMetrics::register(&mut registry);
    let health = Health::new(&SERVICE, &config, &shutdown);
    let routes = Router::new().route("/wait", get(waits)).route("/panic", get(panics));
    let app = edge(routes.merge(operations(health, registry)), &config, &http);
    serve(listener, app, &shutdown, &config).await;
    Ok(())
}

async fn waits() -> &'static str {
    tracing::info!("waiting");
    std::future::pending().await
}

async fn panics() -> &'static str {
    panic!("as asked")
}
