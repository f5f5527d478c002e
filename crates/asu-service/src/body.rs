//! The body of a request, read under limits and whatever its Content-Type says.

use std::time::Duration;

use axum::{
    body::{Body, HttpBody},
    extract::{FromRef, FromRequest, Request},
    http::{
        HeaderMap, StatusCode,
        header::{ACCEPT_ENCODING, CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH},
    },
};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};

use crate::api_error::ApiError;

/// The limits of a request's body; a service's state offers them through `FromRef`.
#[derive(Debug, Clone, Copy)]
pub struct BodyLimit {
    /// In bytes; a larger body is answered 413.
    pub max_size: u64,
    /// The longest that the body may take to arrive; a slower one is answered 408.
    pub timeout: Duration,
}

/// The bytes of a request's body: any Content-Type or none, chunked or not, never compressed.
#[derive(Debug, Clone)]
pub struct RawBody(
    /// The whole body.
    pub Bytes,
);

impl<S> FromRequest<S> for RawBody
where
    S: Send + Sync,
    BodyLimit: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let limit = BodyLimit::from_ref(state);
        if is_encoded(request.headers()) {
            return Err(encoded());
        }
        // Nothing is read of a body that says it is too large; one that waits for "100 Continue" is then never sent.
        if announced_size(&request) > limit.max_size {
            return Err(limit.too_large());
        }
        match tokio::time::timeout(limit.timeout, read(request.into_body(), &limit)).await {
            Ok(read) => read.map(Self),
            Err(_elapsed) => Err(limit.too_slow()),
        }
    }
}

/// True if the body is not what it is sent as. Some kilobytes can inflate to gigabytes, and no client compresses.
fn is_encoded(headers: &HeaderMap) -> bool {
    let is_plain = |coding: &str| coding.is_empty() || coding.eq_ignore_ascii_case("identity");
    let plain = |value: &str| value.split(',').map(str::trim).all(is_plain);
    headers.get_all(CONTENT_ENCODING).iter().any(|value| !value.to_str().is_ok_and(plain))
}

fn encoded() -> ApiError {
    ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "the request body must have no Content-Encoding")
        .with_header(ACCEPT_ENCODING, "identity")
        .with_header(CONNECTION, "close")
}

/// What Content-Length says. hyper refuses one that is no number, and knows the size of a body that is not chunked.
fn announced_size(request: &Request) -> u64 {
    let length = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    length.unwrap_or_else(|| request.body().size_hint().lower())
}

async fn read(body: Body, limit: &BodyLimit) -> Result<Bytes, ApiError> {
    let max_size = usize::try_from(limit.max_size).unwrap_or(usize::MAX);
    match Limited::new(body, max_size).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(limit.too_large()),
        Err(error) => Err(ApiError::bad_request("the request body ended early").caused_by(error.as_ref())),
    }
}

impl BodyLimit {
    fn too_large(&self) -> ApiError {
        let detail = format!("the request body is larger than {} bytes", self.max_size);
        // The rest of the body is not read, so the connection has no further use and the client should know.
        ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, detail).with_header(CONNECTION, "close")
    }

    fn too_slow(&self) -> ApiError {
        let detail = format!("the request body took longer than {:?}", self.timeout);
        ApiError::new(StatusCode::REQUEST_TIMEOUT, detail).with_header(CONNECTION, "close")
    }
}
