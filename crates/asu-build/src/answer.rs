//! How the states of a build look on the wire.

use std::time::Duration;

use asu_core::{BuildFailure, BuildOutcome, BuildRequest, BuildResult, FailedBuild, RequestHash, Stage, render_time};
use asu_queue::{FinishedBuild, UnixMillis};
use asu_service::json;
use axum::{
    http::{HeaderName, HeaderValue, StatusCode},
    response::Response,
};
use serde::Serialize;
use utoipa::{
    ToSchema,
    openapi::schema::{Object, ObjectBuilder, Type},
};

const X_IMAGEBUILDER_STATUS: HeaderName = HeaderName::from_static("x-imagebuilder-status");
const X_QUEUE_POSITION: HeaderName = HeaderName::from_static("x-queue-position");

/// A build that waits.
#[derive(Serialize, ToSchema)]
#[schema(as = QueuedBuild)]
pub(crate) struct Queued<'a> {
    /// The status of the answer.
    status: u16,
    /// What the state is called.
    detail: &'static str,
    /// How many builds go before this one.
    queue_position: u64,
    /// When the build was asked for, in UTC.
    #[schema(example = "2026-01-31T23:48:37.000000Z")]
    enqueued_at: String,
    request_hash: &'a RequestHash,
    /// In how many seconds a worker is likely to take it.
    #[serde(skip_serializing_if = "Option::is_none")]
    eta_seconds: Option<u64>,
}

/// The body of an answer 202.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum BuildAnswer<'a> {
    /// It waits.
    Queued(Queued<'a>),
    /// It runs.
    Started(Started<'a>),
}

/// A build that waits. Only this answer has the key `queue_position`: clients test for it.
pub(crate) fn queued(
    request_hash: &RequestHash,
    position: u64,
    enqueued_at: UnixMillis,
    eta: Option<Duration>,
) -> Response {
    let body = BuildAnswer::Queued(Queued {
        status: 202,
        detail: "queued",
        queue_position: position,
        enqueued_at: render(enqueued_at),
        request_hash,
        eta_seconds: eta.map(whole_seconds),
    });
    with_headers(json(StatusCode::ACCEPTED, &body), "queued", position)
}

/// A build that a worker holds.
#[derive(Serialize, ToSchema)]
#[schema(as = StartedBuild)]
pub(crate) struct Started<'a> {
    /// The status of the answer.
    status: u16,
    /// What the state is called.
    detail: &'static str,
    imagebuilder_status: Stage,
    request: &'a BuildRequest,
    request_hash: &'a RequestHash,
    /// When the build was asked for, in UTC.
    #[schema(example = "2026-01-31T23:48:37.000000Z")]
    enqueued_at: String,
    /// The command that builds the images, once it is known.
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
    let body = BuildAnswer::Started(Started {
        status: 202,
        detail: "started",
        imagebuilder_status: stage,
        request,
        request_hash,
        enqueued_at: render(enqueued_at),
        build_cmd,
    });
    with_headers(json(StatusCode::ACCEPTED, &body), stage.as_str(), 0)
}

/// A build whose images are stored. Has every field of the ImageBuilder's profiles.json but `profiles`, and those of the profile.
#[derive(Serialize, ToSchema)]
#[schema(as = DoneBuild)]
pub(crate) struct Done<'a> {
    /// The status of the answer.
    status: u16,
    /// What the state is called.
    detail: &'static str,
    /// What the state is called.
    imagebuilder_status: &'static str,
    request: &'a BuildRequest,
    request_hash: &'a RequestHash,
    /// When the build was asked for, in UTC.
    #[schema(example = "2026-01-31T23:48:37.000000Z")]
    enqueued_at: String,
    #[serde(flatten)]
    result: &'a BuildResult,
}

/// A build of which there will be no images.
#[derive(Serialize, ToSchema)]
#[schema(as = FailedBuild)]
pub(crate) struct Failed<'a> {
    /// The status of the answer.
    status: u16,
    /// The name of the status.
    title: &'static str,
    /// Why, in words for people.
    detail: String,
    /// Why, as a name for programs.
    #[schema(schema_with = kinds)]
    error: &'static str,
    /// What may help, in words for people.
    hint: String,
    /// What the state is called.
    imagebuilder_status: &'static str,
    request: &'a BuildRequest,
    request_hash: &'a RequestHash,
    /// When the build was asked for, in UTC.
    #[schema(example = "2026-01-31T23:48:37.000000Z")]
    enqueued_at: String,
    /// The command that failed, empty if none was run.
    build_cmd: &'a [String],
    /// The end of what it printed on standard output.
    stdout: &'a str,
    /// The end of what it printed on standard error.
    stderr: &'a str,
}

/// Every kind of failure, for the description of the answer.
fn kinds() -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(BuildFailure::KINDS.iter().copied()))
        .description(Some("Why, as a name for programs."))
        .build()
}

/// The status and the body of a build that ended. `largest_rootfs` is what requests may ask for as `rootfs_size_mb`.
pub(crate) fn finished(
    request_hash: &RequestHash,
    build: &FinishedBuild,
    largest_rootfs: u32,
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
                hint: failure.hint(request, largest_rootfs),
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

/// Rounded up: who waits for the rest of a second still waits.
fn whole_seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}

fn render(time: UnixMillis) -> String {
    render_time(i64::try_from(time.get()).unwrap_or_default())
}
