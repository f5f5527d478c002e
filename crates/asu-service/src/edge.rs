//! What every request passes on its way in and every answer on its way out.

use std::{
    panic::AssertUnwindSafe,
    sync::{Arc, Once},
    time::{Duration, Instant},
};

use axum::{
    Router,
    extract::{MatchedPath, Request, State},
    http::{
        HeaderMap, HeaderValue, Method, StatusCode,
        header::{CONNECTION, TRANSFER_ENCODING, X_CONTENT_TYPE_OPTIONS},
    },
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use futures::FutureExt;
use tower::util::MapRequest;
use tracing::{Instrument, Level, Span};

use crate::{
    api_error::ApiError,
    client_address::{ClientAddress, TrustedProxies},
    config::Config,
    cors,
    http_metrics::HttpMetrics,
    operations,
    request_context::{RequestContext, X_REQUEST_ID},
    slashes::collapse_slashes,
};

/// When to try again after a request that took too long.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// What requests without a route are called in logs and metrics: their paths are the client's invention.
const UNMATCHED: &str = "unmatched";

struct Edge {
    cors: bool,
    request_timeout: Duration,
    proxies: TrustedProxies,
    /// Done once the operator was told that `trusted_proxies` may lack somebody.
    proxy_warning: Once,
    metrics: HttpMetrics,
}

/// Puts the edge around a service's routes; call it last, once, on the whole router of a listener.
///
/// Slashes are collapsed before routing; unknown paths and wrong methods are answered as errors are (a fallback of
/// `router` is replaced); panics and slow handlers too; OPTIONS is 204 everywhere; each request has an id, a span, a
/// log line and metrics; CORS headers stand exactly once on every answer.
pub fn edge(router: Router, config: &Config, metrics: &HttpMetrics) -> Router {
    let edge = Arc::new(Edge {
        cors: config.cors,
        request_timeout: config.request_timeout.get(),
        proxies: config.trusted_proxies.clone(),
        proxy_warning: Once::new(),
        metrics: metrics.clone(),
    });
    let routes = router
        .fallback(|| async { ApiError::not_found("not found") })
        .method_not_allowed_fallback(|method: Method| async move { method_not_allowed(&method) })
        .layer(middleware::from_fn_with_state(edge, pass));
    // A layer of the router would run after routing, too late to change the path.
    Router::new().fallback_service(MapRequest::new(routes, collapse_slashes))
}

async fn pass(State(edge): State<Arc<Edge>>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let in_flight = edge.metrics.begin();
    let (mut parts, body) = request.into_parts();
    let context = RequestContext::from_headers(&parts.headers);
    let client = ClientAddress::of(&parts, &edge.proxies);
    if edge.proxies.disbelieve(&parts) {
        edge.proxy_warning.call_once(|| warn_of_proxy(client));
    }
    parts.extensions.insert(client);
    parts.extensions.insert(context.clone());
    let matched = parts.extensions.get::<MatchedPath>().cloned();
    let route = matched.as_ref().map_or(UNMATCHED, MatchedPath::as_str);
    let method = parts.method.clone();
    let span = tracing::info_span!("request", request_id = %context.id, trace_id = context.trace.trace_id());

    let mut response = answer(&edge, Request::from_parts(parts, body), next).instrument(span.clone()).await;
    edge.finish(&context, &mut response);
    drop(in_flight);
    edge.metrics.record(route, &method, response.status(), started.elapsed());
    log(&span, &method, route, response.status(), started.elapsed());
    response
}

async fn answer(edge: &Edge, request: Request, next: Next) -> Response {
    if has_unknown_coding(request.headers()) {
        return unknown_coding().into_response();
    }
    if request.method() == Method::OPTIONS {
        return StatusCode::NO_CONTENT.into_response();
    }
    // Nothing that a handler leaves half-done outlives it: its state is shared through types that survive a panic.
    let handled = AssertUnwindSafe(next.run(request)).catch_unwind();
    match tokio::time::timeout(edge.request_timeout, handled).await {
        Ok(Ok(response)) => response,
        // The panic hook has logged what happened.
        Ok(Err(_panic)) => ApiError::fixed_internal().into_response(),
        Err(_elapsed) => too_slow(edge.request_timeout).into_response(),
    }
}

/// True if a body is transferred in another way than in chunks. hyper reads the chunks of `gzip, chunked` and leaves the
/// rest to us; a proxy may have seen the end of such a request somewhere else.
fn has_unknown_coding(headers: &HeaderMap) -> bool {
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    let only_chunked = codings.next().is_none_or(|coding| coding.as_bytes().eq_ignore_ascii_case(b"chunked"));
    !only_chunked || codings.next().is_some()
}

/// Nothing behind it on this connection is read: it may be a part of the body.
fn unknown_coding() -> ApiError {
    ApiError::new(StatusCode::NOT_IMPLEMENTED, "the only Transfer-Encoding here is chunked")
        .with_header(CONNECTION, "close")
}

/// Once and not each time: anybody can send the header.
fn warn_of_proxy(peer: ClientAddress) {
    tracing::warn!(
        peer = %peer.0,
        "X-Forwarded-For is not believed; name your proxy in trusted_proxies, or all of its users are one client"
    );
}

fn too_slow(limit: Duration) -> ApiError {
    // Closing tells the client not to send the rest of a body that nobody will read.
    ApiError::unavailable(format!("the request took longer than {limit:?}"), RETRY_AFTER)
        .with_header(CONNECTION, "close")
}

fn method_not_allowed(method: &Method) -> ApiError {
    // The router adds the Allow header.
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, format!("method {method} is not allowed here"))
}

impl Edge {
    fn finish(&self, context: &RequestContext, response: &mut Response) {
        let headers = response.headers_mut();
        headers.insert(X_REQUEST_ID, context.id.to_header());
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if self.cors {
            cors::allow_everyone(headers);
        }
    }
}

/// What changes something or goes wrong is worth a line; polls, downloads and probes are not, unless debugging.
fn log(span: &Span, method: &Method, route: &str, status: StatusCode, took: Duration) {
    let routine = method.is_safe() && !(status.is_client_error() || status.is_server_error());
    let probe = operations::PATHS.contains(&route);
    let level = if routine || probe { Level::DEBUG } else { Level::INFO };
    let (status, took) = (status.as_u16(), duration_ms(took));
    // The level of an event must be known when compiling.
    if level == Level::DEBUG {
        tracing::debug!(parent: span, http.method = %method, http.route = route, http.status = status, duration_ms = took, "answered");
    } else {
        tracing::info!(parent: span, http.method = %method, http.route = route, http.status = status, duration_ms = took, "answered");
    }
}

/// Milliseconds with three digits behind the point.
fn duration_ms(took: Duration) -> f64 {
    (took.as_secs_f64() * 1e6).round() / 1e3
}
