//! The edge of every process: settings and flags, telemetry, error rendering, health, metrics, the HTTP server and shutdown.
//!
//! It knows no endpoint and nothing of the domain. A service's `run()` puts the pieces together:
//!
//! ```no_run
//! use asu_service::{Config, Health, HttpMetrics, Service, Shutdown, edge, operations, registry, serve};
//!
//! const SERVICE: Service =
//!     Service { name: "asu-example", version: "0.1.0", about: "An example", listen: "127.0.0.1:8009" };
//!
//! async fn run(config: Config, listener: tokio::net::TcpListener, shutdown: Shutdown) -> std::io::Result<()> {
//!     let mut registry = registry(&SERVICE);
//!     let http = HttpMetrics::register(&mut registry);
//!     let health = Health::new(&SERVICE, &config, &shutdown);
//!     let app = edge(operations(health, registry).into(), &config, &http);
//!     serve(listener, app, &shutdown, &config).await;
//!     Ok(())
//! }
//!
//! fn main() -> std::process::ExitCode {
//!     asu_service::launch(&SERVICE, Config::load, run)
//! }
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may panic"))]

mod api_error;
mod body;
mod cli;
mod client_address;
mod config;
mod connection;
mod cors;
mod docs;
mod edge;
mod error_chain;
mod health;
mod healthcheck;
mod http_metrics;
mod json;
mod launch;
mod operations;
mod process_metrics;
mod readiness;
mod request_context;
mod server;
mod service;
mod settings_help;
mod shutdown;
mod signals;
mod slashes;
mod telemetry;
mod trace_parent;

pub use api_error::{ApiError, ErrorBody};
pub use body::{BodyLimit, RawBody};
pub use cli::{Cli, Command, Flags, load_settings};
pub use client_address::{ClientAddress, TrustedProxies};
pub use config::{Config, LogFormat};
pub use docs::{alias, describe_also, documented};
pub use edge::edge;
pub use error_chain::error_chain;
pub use health::Health;
pub use healthcheck::{HealthcheckError, healthcheck};
pub use http_metrics::HttpMetrics;
pub use json::json;
pub use launch::{launch, raise_file_limit};
pub use operations::operations;
pub use process_metrics::registry;
pub use readiness::Condition;
pub use request_context::{RequestContext, RequestId};
pub use server::{BindError, Drained, bind, serve};
pub use service::Service;
pub use settings_help::settings_help;
pub use shutdown::Shutdown;
pub use signals::shutdown_on_signal;
pub use telemetry::{TelemetryError, init_telemetry};
pub use trace_parent::TraceParent;
