//! `POST /api/v1/build/prepare`: what will become of this request?

use std::sync::Arc;

use asu_intake::{Intake, Rules};
use asu_service::{ApiError, BodyLimit, RawBody, json};
use axum::{
    Router,
    extract::{FromRef, State},
    http::StatusCode,
    response::Response,
    routing::post,
};

use crate::{answer::Prepared, metrics::PrepareMetrics};

/// What the handlers of this service share.
#[derive(Clone, FromRef)]
pub struct Prepare {
    /// The way of a request.
    pub intake: Arc<Intake>,
    /// How large a request may be.
    pub body_limit: BodyLimit,
    /// What is counted.
    pub metrics: PrepareMetrics,
}

/// The routes of this service, under its name and its alias.
pub fn routes(prepare: Prepare) -> Router {
    Router::new()
        .route("/api/v1/build/prepare", post(prepare_request))
        .route("/api/v1/prepare", post(prepare_request))
        .with_state(prepare)
}

async fn prepare_request(
    State(intake): State<Arc<Intake>>,
    State(metrics): State<PrepareMetrics>,
    RawBody(body): RawBody,
) -> Result<Response, ApiError> {
    let outcome = intake.accept(&body, Rules::Apply).await;
    metrics.count(&outcome);
    Ok(json(StatusCode::OK, &Prepared::from(outcome?)))
}
