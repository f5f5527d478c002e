//! The endpoints that operators and their machines ask: `/health`, `/ready` and `/metrics`.

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    http::header::CONTENT_TYPE,
    response::{IntoResponse, Response},
    routing::get,
};
use prometheus_client::{encoding::text, registry::Registry};

use crate::{api_error::ApiError, health::Health};

/// What Prometheus takes the text for; it is the format that `prometheus-client` writes.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Routes that are logged at debug level only, because machines ask for them all day.
pub(crate) const PATHS: [&str; 3] = ["/health", "/ready", "/metrics"];

/// The routes of a process's own health and metrics, to be merged into its router.
pub fn operations<S: Clone + Send + Sync + 'static>(health: Health, registry: Registry) -> Router<S> {
    let [health_path, ready_path, metrics_path] = PATHS;
    let probed = Router::new()
        .route(health_path, get(|State(health): State<Health>| async move { health.live() }))
        .route(ready_path, get(|State(health): State<Health>| async move { health.ready().await }))
        .with_state(health);
    probed.merge(Router::new().route(metrics_path, get(metrics)).with_state(Arc::new(registry)))
}

async fn metrics(State(registry): State<Arc<Registry>>) -> Result<Response, ApiError> {
    let mut body = String::new();
    text::encode(&mut body, &registry).map_err(|error| ApiError::internal(&error))?;
    Ok(([(CONTENT_TYPE, OPEN_METRICS)], body).into_response())
}
