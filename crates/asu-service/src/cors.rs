//! CORS: every answer may be read by every page.

use axum::http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{
        ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
        ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    },
};

/// The contract's headers, on every answer: a browser that does not need one ignores it.
const HEADERS: [(HeaderName, HeaderValue); 5] = [
    (ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*")),
    (ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST, HEAD, OPTIONS")),
    (ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("content-type")),
    (ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("X-Imagebuilder-Status, X-Queue-Position, Retry-After")),
    // A day; browsers cap it themselves.
    (ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400")),
];

/// Sets the headers, replacing any that a handler or an object store's answer brought: twice is as bad as never.
pub(crate) fn allow_everyone(headers: &mut HeaderMap) {
    for (name, value) in HEADERS {
        headers.insert(name, value);
    }
}
