//! `GET /api/v1/build/{request_hash}/log`: what does the build print? As a text, or as a stream of events.
//!
//! The text is what there is by now. The stream follows: `queued` {"queue_position"}, `stage` {"imagebuilder_status"},
//! `log` with one or more whole lines, `restarted` when another attempt begins, and at last `done` or `failed`
//! {"status", "detail", "error"?}, or `gone` if the build is not known any more. A reader that comes back with
//! `Last-Event-ID` goes on where it was, at any instance of this service.

mod cursor;
mod event;
mod feed;
mod feeds;
mod follower;
mod last_seen;
mod plain;
mod printable;
mod scene;

use asu_core::RequestHash;
use asu_queue::BuildStatus;
use asu_service::{ApiError, ErrorBody};
use axum::{
    extract::{Path, RawQuery, State, rejection::PathRejection},
    http::{
        HeaderMap, HeaderName, HeaderValue, StatusCode,
        header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
};

use crate::{build::Build, error::BuildError, query::Query};

use cursor::Cursor;
pub(crate) use feeds::Feeds;
use last_seen::LastSeen;

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");
const EVENT_STREAM: &str = "text/event-stream";

/// What does the build print?
///
/// As a text, which is what there is by now; or followed, as events: `queued` with `queue_position`, `stage` with
/// `imagebuilder_status`, `log` with whole lines, `restarted` when another attempt begins, and at last `done` or `failed`
/// with `status` and `detail`, or `gone`. A reader that comes back with `Last-Event-ID` goes on where it was.
#[utoipa::path(get, path = "/api/v1/build/{request_hash}/log", tag = "builds",
    params(
        ("request_hash" = RequestHash, Path, description = "The name of the build, from the answer to its request."),
        ("follow" = Option<bool>, Query, description = "Follow it; `Accept: text/event-stream` means the same."),
        ("Last-Event-ID" = Option<String>, Header, description = "The last event that the reader saw."),
    ),
    responses(
        (status = 200, description = "The log.", content((String = "text/plain"), (String = "text/event-stream"))),
        (status = 204, description = "The reader has seen the end already."),
        (status = 404, description = "There is no such build, or not any more.", body = ErrorBody),
        (status = 503, description = "Redis is away, or too many follow already.", body = ErrorBody),
    ),
)]
pub(crate) async fn get_log(
    State(build): State<Build>,
    path: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    // Whatever is no hash is the hash of no build.
    let Path(text) = path.map_err(|_| BuildError::UnknownBuild)?;
    let request_hash = RequestHash::parse(&text).map_err(|_| BuildError::UnknownBuild)?;
    if Query::parse(query.as_deref()).says_yes("follow") || accepts_events(&headers) {
        Ok(follow(&build, request_hash, &headers).await?)
    } else {
        let text = plain::read(&build.queue, &request_hash).await?;
        let text_plain = HeaderValue::from_static("text/plain; charset=utf-8");
        let headers = [(CONTENT_TYPE, text_plain), (CACHE_CONTROL, HeaderValue::from_static("no-cache"))];
        Ok((headers, text).into_response())
    }
}

fn accepts_events(headers: &HeaderMap) -> bool {
    let values = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let mut types = values.flat_map(|value| value.split(',')).filter_map(|range| range.split(';').next());
    types.any(|media_type| media_type.trim().eq_ignore_ascii_case(EVENT_STREAM))
}

async fn follow(build: &Build, request_hash: RequestHash, headers: &HeaderMap) -> Result<Response, BuildError> {
    let status = build.queue.status(&request_hash).await?.ok_or(BuildError::UnknownBuild)?;
    let last_id = headers.get(LAST_EVENT_ID).and_then(|id| id.to_str().ok()).and_then(LastSeen::parse);
    let cursor = match (last_id, status) {
        // The one answer that keeps a browser from coming back again and again.
        (Some(LastSeen::End(seen)), BuildStatus::Done(ended) | BuildStatus::Failed(ended))
            if seen.is_of(&ended.attempt) =>
        {
            return Ok(StatusCode::NO_CONTENT.into_response());
        }
        (Some(LastSeen::Part { attempt, end }), _) => Cursor::after(attempt, end),
        (Some(LastSeen::End(_)) | None, _) => Cursor::default(),
    };
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(EVENT_STREAM)),
        (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        // nginx hands out each event as it comes.
        (X_ACCEL_BUFFERING, HeaderValue::from_static("no")),
    ];
    Ok((headers, build.feeds.follow(request_hash, cursor)?).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_that_listens_for_events_gets_them() {
        for (accept, expected) in [
            ("text/event-stream", true),
            ("text/html, Text/Event-Stream;q=0.9", true),
            ("*/*", false),
            ("text/plain", false),
            ("text/event-streams", false),
        ] {
            let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(accept))]);
            assert_eq!(accepts_events(&headers), expected, "{accept}");
        }
    }
}
