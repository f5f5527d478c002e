//! The pages for people: what this server is, and its statistics.
//!
//! They are rendered here, ask no other server for anything, and need no script: scripts only draw charts from tables
//! that are there anyway. Whatever a page tells of may be away; then the page says so, and soon.

mod assets;
mod charts;
mod frame;
mod home;
mod settings;
mod soon;

use askama::Template;
use asu_service::ApiError;
use axum::{
    Router,
    http::{
        HeaderValue,
        header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY},
    },
    response::{IntoResponse, Response},
    routing::get,
};

use crate::build::Build;

pub(crate) use frame::Pages;

/// Only what this server serves: no script and no style stands in a page.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
     form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
);

pub(crate) fn page_routes() -> Router<Build> {
    Router::new()
        .route("/", get(home::get_home))
        .route("/stats", get(charts::get_charts))
        .route("/static/{file}", get(assets::get_asset))
}

fn page(template: &impl Template) -> Result<Response, ApiError> {
    let text = template.render().map_err(|error| ApiError::internal(&error))?;
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (CONTENT_SECURITY_POLICY, POLICY),
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        // It holds the name that its reader called this server by.
        (CACHE_CONTROL, HeaderValue::from_static("private, no-cache")),
    ];
    Ok((headers, text).into_response())
}
