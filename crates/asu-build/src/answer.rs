//! How the states of a build look on the wire.

use asu_core::{BuildOutcome, BuildRequest, BuildResult, FailedBuild, RequestHash, Stage, render_time};
use asu_queue::{FinishedBuild, UnixMillis};
use asu_service::json;
use axum::{
    http::{HeaderName, HeaderValue, StatusCode},
    response::Response,
};
use serde::Serialize;

const X_IMAGEBUILDER_STATUS: HeaderName = HeaderName::from_static("x-imagebuilder-status");
const X_QUEUE_POSITION: HeaderName = HeaderName::from_static("x-queue-position");

#[derive(Serialize)]
struct Queued<'a> {
    status: u16,
    detail: &'static str,
    queue_position: u64,
    enqueued_at: String,
    request_hash: &'a RequestHash,
}

/// A build that waits. Only this answer has the key `queue_position`: clients test for it.
pub(crate) fn queued(request_hash: &RequestHash, position: u64, enqueued_at: UnixMillis) -> Response {
    let body = Queued {
        status: 202,
        detail: "queued",
        queue_position: position,
        enqueued_at: render(enqueued_at),
        request_hash,
    };
    with_headers(json(StatusCode::ACCEPTED, &body), "queued", position)
}

#[derive(Serialize)]
struct Started<'a> {
    status: u16,
    detail: &'static str,
    imagebuilder_status: Stage,
    request: &'a BuildRequest,
    request_hash: &'a RequestHash,
    enqueued_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    build_cmd: Option<Vec<String>>,
}

/// A build that a worker holds.
pub(crate) fn started(
    request_hash: &RequestHash,
    request: &BuildRequest,
    stage: Stage,
    build_cmd: Option<Vec<String>>,
    enqueued_at: UnixMillis,
) -> Response {
    let body = Started {
        status: 202,
        detail: "started",
        imagebuilder_status: stage,
        request,
        request_hash,
        enqueued_at: render(enqueued_at),
        build_cmd,
    };
    with_headers(json(StatusCode::ACCEPTED, &body), stage.as_str(), 0)
}

#[derive(Serialize)]
struct Done<'a> {
    status: u16,
    detail: &'static str,
    imagebuilder_status: &'static str,
    request: &'a BuildRequest,
    request_hash: &'a RequestHash,
    enqueued_at: String,
    #[serde(flatten)]
    result: &'a BuildResult,
}

#[derive(Serialize)]
struct Failed<'a> {
    status: u16,
    title: &'static str,
    detail: String,
    error: &'static str,
    imagebuilder_status: &'static str,
    request: &'a BuildRequest,
    request_hash: &'a RequestHash,
    enqueued_at: String,
    build_cmd: &'a [String],
    stdout: &'a str,
    stderr: &'a str,
}

/// The status and the body of a build that ended.
pub(crate) fn finished(
    request_hash: &RequestHash,
    build: &FinishedBuild,
) -> Result<(StatusCode, Vec<u8>), serde_json::Error> {
    let (request, enqueued_at) = (&build.request, render(build.enqueued_at));
    match &build.outcome {
        BuildOutcome::Done(result) => {
            let (detail, imagebuilder_status) = ("done", "done");
            let body = Done { status: 200, detail, imagebuilder_status, request, request_hash, enqueued_at, result };
            Ok((StatusCode::OK, serde_json::to_vec(&body)?))
        }
        BuildOutcome::Failed(failed) => {
            let FailedBuild { failure, build_cmd, log } = failed.as_ref();
            let body = Failed {
                status: 500,
                title: "Internal Server Error",
                detail: failure.to_string(),
                error: failure.kind(),
                imagebuilder_status: "failed",
                request,
                request_hash,
                enqueued_at,
                build_cmd,
                stdout: &log.stdout,
                stderr: &log.stderr,
            };
            Ok((StatusCode::INTERNAL_SERVER_ERROR, serde_json::to_vec(&body)?))
        }
    }
}

/// Clients that poll with HEAD live on these two headers.
pub(crate) fn with_headers(mut response: Response, status: &'static str, position: u64) -> Response {
    let headers = response.headers_mut();
    headers.insert(X_IMAGEBUILDER_STATUS, HeaderValue::from_static(status));
    headers.insert(X_QUEUE_POSITION, HeaderValue::from(position));
    response
}

fn render(time: UnixMillis) -> String {
    render_time(i64::try_from(time.get()).unwrap_or_default())
}
