//! `GET /api/v1/build/{request_hash}/provenance`: where do these images come from?

use std::sync::Arc;

use asu_core::{BuildOutcome, Provenance, RequestHash, Statement};
use asu_queue::{AttemptId, BuildStatus, FinishedBuild, UnixMillis};
use asu_service::{ApiError, ErrorBody};
use axum::{
    extract::{Path, State, rejection::PathRejection},
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
};

use crate::{
    answer::{BuildAnswer, Failed},
    build::Build,
    error::BuildError,
    run::SERVICE,
    server_url::server_url,
};

/// The builder of a server that has no name of its own and was not called by any.
const SOMEBODY: &str = env!("CARGO_PKG_REPOSITORY");

/// What statements call this server.
#[derive(Debug, Clone)]
pub(crate) struct BuilderId(Option<Arc<str>>);

impl BuilderId {
    /// Empty for what its readers call it.
    pub(crate) fn new(configured: &str) -> Self {
        Self((!configured.is_empty()).then(|| configured.into()))
    }

    fn or<'a>(&'a self, server_url: Option<&'a str>) -> &'a str {
        self.0.as_deref().or(server_url).unwrap_or(SOMEBODY)
    }
}

/// Where do these images come from?
///
/// An in-toto statement about the images, with a predicate of SLSA provenance v1: what was asked for, what it was built
/// with, by whom and when. Before there are images, and when there will be none, the answer is that of the build itself.
#[utoipa::path(get, path = "/api/v1/build/{request_hash}/provenance", tag = "builds",
    params(("request_hash" = RequestHash, Path, description = "The name of the build, from the answer to its request.")),
    responses(
        (status = 200, description = "The statement.", body = Statement, content_type = "application/vnd.in-toto+json"),
        (status = 202, description = "It waits or runs. Only a build that waits has `queue_position`.", body = BuildAnswer),
        (status = 404, description = "There is no such build, or not any more.", body = ErrorBody),
        (status = 500, description = "There will be no images; `detail` says why.", body = Failed),
        (status = 503, description = "Redis or the store is away.", body = ErrorBody),
    ),
)]
pub(crate) async fn get_provenance(
    State(build): State<Build>,
    path: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    // Whatever is no hash is the hash of no build.
    let Path(text) = path.map_err(|_| BuildError::UnknownBuild)?;
    let request_hash = RequestHash::parse(&text).map_err(|_| BuildError::UnknownBuild)?;
    while let Some(status) = build.queue.status(&request_hash).await.map_err(BuildError::from)? {
        let done = done_attempt(&status);
        let Some(answer) = build.answer(&request_hash, status).await? else { continue };
        let Some(attempt) = done.filter(|_| answer.status() == StatusCode::OK) else { return Ok(answer) };
        let record = build.queue.outcome(&request_hash).await.map_err(BuildError::from)?;
        // Another attempt's record is another statement.
        if let Some(record) = record.filter(|record| record.attempt == attempt) {
            return state(&build, &request_hash, &record, &headers);
        }
    }
    Err(BuildError::UnknownBuild.into())
}

fn done_attempt(status: &BuildStatus) -> Option<AttemptId> {
    match status {
        BuildStatus::Done(finished) => Some(finished.attempt.clone()),
        BuildStatus::Failed(_) | BuildStatus::Queued { .. } | BuildStatus::Started { .. } => None,
    }
}

fn state(
    build: &Build,
    request_hash: &RequestHash,
    record: &FinishedBuild,
    headers: &HeaderMap,
) -> Result<Response, ApiError> {
    let result = match &record.outcome {
        BuildOutcome::Done(result) => result,
        BuildOutcome::Failed(_) => return Err(BuildError::UnknownBuild.into()),
    };
    let server_url = server_url(headers);
    let statement = Statement::of(&Provenance {
        request_hash,
        request: &record.request,
        result,
        attempt: record.attempt.as_str(),
        started_at: millis(record.started_at),
        finished_at: millis(record.finished_at),
        builder_id: build.builder_id.or(server_url.as_deref()),
        server_url: server_url.as_deref(),
        service: (SERVICE.name, SERVICE.version),
    });
    let body = serde_json::to_vec(&statement).map_err(|error| ApiError::internal(&error))?;
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(Statement::MEDIA_TYPE)),
        // It holds the name that its reader called this server by.
        (CACHE_CONTROL, HeaderValue::from_static("private, no-cache")),
    ];
    Ok((headers, body).into_response())
}

fn millis(time: UnixMillis) -> i64 {
    i64::try_from(time.get()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_builder_is_called_what_its_operator_says_or_what_its_readers_do() {
        let named = BuilderId::new("https://asu.example.org/builder");
        assert_eq!(named.or(Some("http://127.0.0.1:8000")), "https://asu.example.org/builder");
        let unnamed = BuilderId::new("");
        assert_eq!(unnamed.or(Some("http://127.0.0.1:8000")), "http://127.0.0.1:8000");
        assert!(unnamed.or(None).starts_with("https://"));
    }
}
