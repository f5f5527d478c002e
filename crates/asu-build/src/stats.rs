//! `GET /api/v1/stats` and its summary: how long is the queue?

use asu_queue::Queue;
use asu_service::{ApiError, ErrorBody, json};
use axum::{extract::State, http::StatusCode, response::Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::BuildError;

#[derive(Serialize, ToSchema)]
pub(crate) struct Stats {
    /// Builds that wait; what the reference server calls it.
    queue_length: u64,
    /// Builds at work.
    running: u64,
    /// Workers that are alive.
    workers: u64,
    /// How long the build at the head of the line has waited.
    oldest_pending_seconds: u64,
    /// How many builds the workers run at the same time.
    slots: u64,
    /// How long the latest builds took on average; missing while none ended in the last day.
    #[serde(skip_serializing_if = "Option::is_none")]
    mean_build_seconds: Option<f64>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Summary {
    /// Builds that wait.
    queue_length: u64,
    /// Builds that were done in the last 24 hours; null if nobody counts.
    builds_24h: Option<u64>,
}

/// The queue and the last day in two numbers.
#[utoipa::path(get, path = "/api/v1/stats/summary", tag = "statistics", responses(
    (status = 200, description = "The numbers.", body = Summary),
    (status = 503, description = "Redis is away.", body = ErrorBody),
))]
pub(crate) async fn get_summary(State(queue): State<Queue>) -> Result<Response, ApiError> {
    let counts = queue.counts().await.map_err(BuildError::from)?;
    let builds_24h = match queue.statistics() {
        Some(statistics) => Some(statistics.builds_in_24_hours().await.map_err(BuildError::from)?),
        None => None,
    };
    Ok(json(StatusCode::OK, &Summary { queue_length: counts.pending, builds_24h }))
}

/// How long is the queue?
#[utoipa::path(get, path = "/api/v1/stats", tag = "statistics", responses(
    (status = 200, description = "The queue in numbers.", body = Stats),
    (status = 503, description = "Redis is away.", body = ErrorBody),
))]
pub(crate) async fn get_stats(State(queue): State<Queue>) -> Result<Response, ApiError> {
    let counts = queue.counts().await.map_err(BuildError::from)?;
    let stats = Stats {
        queue_length: counts.pending,
        running: counts.running,
        workers: counts.workers,
        oldest_pending_seconds: counts.oldest_pending.map_or(0, |age| age.as_secs()),
        slots: counts.slots,
        mean_build_seconds: counts.mean_build.map(|mean| mean.as_secs_f64()),
    };
    Ok(json(StatusCode::OK, &stats))
}
