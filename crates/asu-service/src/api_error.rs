//! The one renderer of errors: what every caller gets when the answer is no.

use std::{error::Error, fmt, time::Duration};

use axum::{
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header::RETRY_AFTER},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::{error_chain::error_chain, json::json};

/// An answer that is an error: `{"status":422,"title":"Unprocessable Content","detail":"…", …}`.
///
/// Each service has one `error.rs` with an enum of its own and `impl From<ThatEnum> for ApiError`, an exhaustive match:
/// a new variant does not compile until somebody chose its answer. Handlers return `Result<_, ApiError>` and use `?`.
/// The caller gets text that we wrote; what caused it goes to the log when the answer is rendered, once.
#[derive(Debug)]
pub struct ApiError(Box<Parts>);

/// The body of every answer that is an error.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Error, example = json!({"status": 404, "title": "Not Found", "detail": "not found"}))]
pub struct ErrorBody {
    /// The status of the answer.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// The name of the status.
    #[schema(value_type = String)]
    title: &'static str,
    /// What is wrong, in words for people.
    detail: String,
    /// What only some errors have.
    #[serde(flatten)]
    #[schema(ignore)]
    more: Map<String, Value>,
}

/// Boxed, so that a `Result` of a handler stays small.
#[derive(Debug)]
struct Parts {
    status: StatusCode,
    detail: String,
    fields: Map<String, Value>,
    headers: HeaderMap,
    cause: Option<String>,
}

impl ApiError {
    /// An error with this status and a text for the caller.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self(Box::new(Parts {
            status,
            detail: detail.into(),
            fields: Map::new(),
            headers: HeaderMap::new(),
            cause: None,
        }))
    }

    /// 400: a request that is well-formed and refused.
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// 422: a request that does not have the form it must have.
    pub fn unprocessable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
    }

    /// 404.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    /// 429: this client asks for more than it may have.
    pub fn too_many_requests(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, detail)
    }

    /// 529, the status that clients know as "too many builds".
    pub fn overloaded(detail: impl Into<String>) -> Self {
        Self::new(overloaded_status(), detail)
    }

    /// 503 with Retry-After: something that this process depends on is away.
    pub fn unavailable(detail: impl Into<String>, retry_after: Duration) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, detail).with_retry_after(retry_after)
    }

    /// 500 with a fixed text: a bug. The caller learns nothing, the log everything.
    pub fn internal(error: &(dyn Error + 'static)) -> Self {
        Self::fixed_internal().caused_by(error)
    }

    /// 500 for a fault that is no error value, such as a panic that the panic hook logged.
    pub(crate) fn fixed_internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal error")
    }

    /// Logs this error with all its sources when the answer is rendered; the caller does not see it.
    #[must_use]
    pub fn caused_by(mut self, error: &(dyn Error + 'static)) -> Self {
        self.0.cause = Some(error_chain(error));
        self
    }

    /// Adds a key to the body. `status`, `title` and `detail` cannot be replaced.
    #[must_use]
    pub fn with_field(mut self, key: &str, value: impl Into<Value>) -> Self {
        if !["status", "title", "detail"].contains(&key) {
            self.0.fields.insert(key.to_owned(), value.into());
        }
        self
    }

    /// Adds a header; anything but visible ASCII and spaces becomes `?`.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: &str) -> Self {
        self.0.headers.insert(name, header_value(value));
        self
    }

    /// Says when to come back, in whole seconds, rounded up and at least one.
    #[must_use]
    pub fn with_retry_after(self, after: Duration) -> Self {
        self.with_header(RETRY_AFTER, &after.as_millis().div_ceil(1000).max(1).to_string())
    }

    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    fn log_cause(&self) {
        let Some(cause) = &self.0.cause else { return };
        let status = self.0.status.as_u16();
        if self.0.status == StatusCode::INTERNAL_SERVER_ERROR {
            tracing::error!(http.status = status, error = cause, "{}", self.0.detail);
        } else {
            tracing::warn!(http.status = status, error = cause, "{}", self.0.detail);
        }
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.0.status.as_u16(), self.0.detail)
    }
}

impl Error for ApiError {}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        self.log_cause();
        let Parts { status, detail, fields: more, headers, cause: _ } = *self.0;
        let body = ErrorBody { status: status.as_u16(), title: title(status), detail, more };
        let mut response = json(status, &body);
        response.headers_mut().extend(headers);
        response
    }
}

/// The names of RFC 9110, which differ from the older ones that the `http` crate knows, and our own 529.
fn title(status: StatusCode) -> &'static str {
    match status.as_u16() {
        413 => "Content Too Large",
        422 => "Unprocessable Content",
        529 => "Server overloaded",
        _ => status.canonical_reason().unwrap_or("Error"),
    }
}

fn overloaded_status() -> StatusCode {
    StatusCode::from_u16(529).expect("529 has three digits")
}

fn header_value(text: &str) -> HeaderValue {
    let clean: String = text.chars().map(|c| if c == ' ' || c.is_ascii_graphic() { c } else { '?' }).collect();
    HeaderValue::try_from(clean).expect("only visible ASCII and spaces are left")
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    async fn body_of(error: ApiError) -> String {
        let bytes = error.into_response().into_body().collect().await.unwrap().to_bytes();
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    #[tokio::test]
    async fn the_body_begins_with_status_title_and_detail() {
        let error = ApiError::unprocessable("packages: expected a list").with_field("errors", vec![1, 2]);
        let expected =
            r#"{"status":422,"title":"Unprocessable Content","detail":"packages: expected a list","errors":[1,2]}"#;
        assert_eq!(body_of(error).await, expected);
        let error = ApiError::overloaded("full").with_field("detail", 7);
        assert_eq!(body_of(error).await, r#"{"status":529,"title":"Server overloaded","detail":"full"}"#);
    }

    #[tokio::test]
    async fn the_caller_of_an_internal_error_learns_nothing() {
        let error = ApiError::internal(&std::io::Error::other("redis://:hunter2@db"));
        assert_eq!(body_of(error).await, r#"{"status":500,"title":"Internal Server Error","detail":"internal error"}"#);
    }

    #[test]
    fn headers_hold_whatever_the_client_sent() {
        let name = HeaderName::from_static("x-unknown-package");
        for (text, sent) in [("a b", "a b"), ("a\r\nSet-Cookie: x", "a??Set-Cookie: x"), ("ä", "?")] {
            let response = ApiError::unprocessable("no").with_header(name.clone(), text).into_response();
            assert_eq!(response.headers()[&name], sent, "{text:?}");
        }
    }

    #[test]
    fn who_comes_back_after_retry_after_is_not_too_early() {
        for (millis, seconds) in [(0, "1"), (10, "1"), (2000, "2"), (2001, "3")] {
            let response = ApiError::unavailable("away", Duration::from_millis(millis)).into_response();
            assert_eq!(response.headers()[RETRY_AFTER], seconds, "{millis} ms");
        }
    }
}
