//! The endpoints that operators and their machines ask: `/health`, `/ready` and `/metrics`.

use std::sync::Arc;

use axum::{
    extract::State,
    http::header::CONTENT_TYPE,
    response::{IntoResponse, Response},
};
use prometheus_client::{encoding::text, registry::Registry};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    api_error::{ApiError, ErrorBody},
    health::{Health, Healthy, Ready},
};

/// What Prometheus takes the text for; it is the format that `prometheus-client` writes.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Routes that are logged at debug level only, because machines ask for them all day.
pub(crate) const PATHS: [&str; 3] = ["/health", "/ready", "/metrics"];

/// The tag of these endpoints in OpenAPI documents.
const TAG: &str = "operations";

/// The routes of a process's own health and metrics, to be merged into its router.
pub fn operations<S: Clone + Send + Sync + 'static>(health: Health, registry: Registry) -> OpenApiRouter<S> {
    let probed = OpenApiRouter::new().routes(routes!(get_health)).routes(routes!(get_ready)).with_state(health);
    probed.merge(OpenApiRouter::new().routes(routes!(get_metrics)).with_state(Arc::new(registry)))
}

/// Is the process there?
#[utoipa::path(get, path = "/health", tag = TAG, responses((status = 200, description = "It is.", body = Healthy)))]
async fn get_health(State(health): State<Health>) -> Response {
    health.live()
}

/// Can the process do its work?
#[utoipa::path(get, path = "/ready", tag = TAG, responses(
    (status = 200, description = "It can; some of what it depends on may be degraded.", body = Ready),
    (status = 503, description = "Something is failing, or the process is shutting down. The body has `dependencies` too.",
        body = ErrorBody),
))]
async fn get_ready(State(health): State<Health>) -> Response {
    health.ready().await
}

/// The metrics of the process, in the text format of OpenMetrics.
#[utoipa::path(get, path = "/metrics", tag = TAG, responses(
    (status = 200, description = "All of them.", body = String, content_type = "application/openmetrics-text"),
))]
async fn get_metrics(State(registry): State<Arc<Registry>>) -> Result<Response, ApiError> {
    let mut body = String::new();
    text::encode(&mut body, &registry).map_err(|error| ApiError::internal(&error))?;
    Ok(([(CONTENT_TYPE, OPEN_METRICS)], body).into_response())
}
