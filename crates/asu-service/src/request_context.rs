//! Which request a piece of work belongs to: its id and its trace.

use std::{convert::Infallible, fmt, sync::Arc};

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderName, HeaderValue, request::Parts},
};

use crate::trace_parent::TraceParent;

/// The header that names a request, in both directions.
pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// The longest request id that is taken over from a client or a proxy.
const MAX_REQUEST_ID_LENGTH: usize = 64;

/// The name of one request: the one that came with it, if it is sane, else a random one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(Arc<str>);

impl RequestId {
    /// Sixteen random hex digits.
    pub fn random() -> Self {
        Self(format!("{:016x}", rand::random::<u64>()).into())
    }

    /// Takes letters, digits and `-_.` only: the text goes into logs, headers and the queue.
    pub fn parse(text: &str) -> Option<Self> {
        let sane = (1..=MAX_REQUEST_ID_LENGTH).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
        sane.then(|| Self(text.into()))
    }

    /// The id as it was sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn to_header(&self) -> HeaderValue {
        HeaderValue::from_str(&self.0).expect("a request id holds only letters, digits and -_.")
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An extractor that never fails: the request's id, and its span in the caller's trace.
#[derive(Debug, Clone)]
pub struct RequestContext {
    /// The request's id.
    pub id: RequestId,
    /// This request's own span; hand its [`TraceParent::child`] to what the request causes.
    pub trace: TraceParent,
}

impl RequestContext {
    pub(crate) fn from_headers(headers: &HeaderMap) -> Self {
        let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
        let id = text(&X_REQUEST_ID).and_then(RequestId::parse).unwrap_or_else(RequestId::random);
        let caller = text(&TRACEPARENT).and_then(|value| value.parse::<TraceParent>().ok());
        Self { id, trace: caller.map_or_else(TraceParent::random, |caller| caller.child()) }
    }
}

impl<S: Sync> FromRequestParts<S> for RequestContext {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_else(|| Self::from_headers(&parts.headers)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sane_ids_are_taken_over() {
        assert_eq!(RequestId::parse("abc-1_2.Z").unwrap().as_str(), "abc-1_2.Z");
        for text in ["", "a b", "a\n", "ä", "{}", &"x".repeat(65)] {
            assert_eq!(RequestId::parse(text), None, "{text:?}");
        }
    }
}
