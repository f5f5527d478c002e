//! `POST /api/v1/build/prepare`: what will become of this request?

use std::sync::Arc;

use asu_intake::{Intake, Rules};
use asu_service::{ApiError, BodyLimit, ErrorBody, RawBody, alias, json};
use axum::{
    extract::{FromRef, State},
    http::StatusCode,
    response::Response,
    routing::post,
};
use utoipa_axum::{router::OpenApiRouter, routes};

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
pub fn routes(prepare: Prepare) -> OpenApiRouter {
    let router = OpenApiRouter::new().routes(routes!(prepare_request));
    alias(router, "/api/v1/prepare", "/api/v1/build/prepare", post(prepare_request)).with_state(prepare)
}

/// What will become of this request?
///
/// Checks it, applies the package rules, and tells what was changed and why. Nothing is built.
#[utoipa::path(post, path = "/api/v1/build/prepare", tag = "builds",
    request_body(content = ref("#/components/schemas/NewBuildRequest"), content_type = "application/json"),
    responses(
        (status = 200, description = "It can be built, as far as is known.", body = Prepared),
        (status = 400, description = "It names something that there is not, or that this server does not allow.",
            body = ErrorBody),
        (status = 408, description = "The body took too long to arrive.", body = ErrorBody),
        (status = 413, description = "The body is too large.", body = ErrorBody),
        (status = 415, description = "The body has a Content-Encoding.", body = ErrorBody),
        (status = 422, description = "It does not have the form of a request.",
            body = ref("#/components/schemas/InvalidRequest")),
        (status = 503, description = "Upstream's metadata cannot be had, or the answer took too long.", body = ErrorBody),
    ),
)]
async fn prepare_request(
    State(intake): State<Arc<Intake>>,
    State(metrics): State<PrepareMetrics>,
    RawBody(body): RawBody,
) -> Result<Response, ApiError> {
    let outcome = intake.accept(&body, Rules::Apply).await;
    metrics.count(&outcome);
    Ok(json(StatusCode::OK, &Prepared::from(outcome?)))
}
