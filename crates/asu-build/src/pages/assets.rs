//! `/static/{file}`: scripts, styles and pictures of the pages, compiled in.

use std::sync::LazyLock;

use asu_service::ApiError;
use axum::{
    body::Body,
    extract::{Path, RawQuery, rejection::PathRejection},
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH},
    },
    response::{IntoResponse, Response},
};
use sha2::{Digest, Sha256};

use crate::error::BuildError;

/// A file, known by what is in it.
pub(super) struct Asset {
    name: &'static str,
    content_type: &'static str,
    content: &'static [u8],
    /// The beginning of the content's SHA-256.
    version: String,
}

/// The files of the pages.
pub(super) struct Assets {
    pub(super) style: Asset,
    pub(super) script: Asset,
    pub(super) chart_js: Asset,
    pub(super) icon: Asset,
    /// Chart.js may be passed on with its licence only.
    chart_js_licence: Asset,
}

pub(super) static ASSETS: LazyLock<Assets> = LazyLock::new(|| Assets {
    style: Asset::new("asu.css", "text/css; charset=utf-8", include_bytes!("../../static/asu.css")),
    script: Asset::new("asu.js", JAVASCRIPT, include_bytes!("../../static/asu.js")),
    chart_js: Asset::new("chart.umd.min.js", JAVASCRIPT, include_bytes!("../../static/chart.umd.min.js")),
    chart_js_licence: Asset::new(
        "chart.LICENSE.md",
        "text/plain; charset=utf-8",
        include_bytes!("../../static/chart.LICENSE.md"),
    ),
    icon: Asset::new("icon.svg", "image/svg+xml", include_bytes!("../../static/icon.svg")),
});

const JAVASCRIPT: &str = "text/javascript; charset=utf-8";

impl Asset {
    fn new(name: &'static str, content_type: &'static str, content: &'static [u8]) -> Self {
        let version = hex::encode(&Sha256::digest(content)[..8]);
        Self { name, content_type, content, version }
    }

    /// Where a page finds it: another address for each change, so that it can be kept for ever.
    pub(super) fn url(&self) -> String {
        format!("/static/{}?v={}", self.name, self.version)
    }

    fn answer(&self, query: Option<&str>, request: &HeaderMap) -> Response {
        let etag = HeaderValue::try_from(format!("\"{}\"", self.version)).expect("hexadecimal digits");
        let is_current = query.and_then(|query| query.strip_prefix("v=")) == Some(self.version.as_str());
        let cache_control = if is_current { "public, max-age=31536000, immutable" } else { "no-cache" };
        let cache_control = HeaderValue::from_static(cache_control);
        if request.get(IF_NONE_MATCH) == Some(&etag) {
            return (StatusCode::NOT_MODIFIED, [(ETAG, etag), (CACHE_CONTROL, cache_control)]).into_response();
        }
        let content_type = HeaderValue::from_static(self.content_type);
        let headers = [(CONTENT_TYPE, content_type), (ETAG, etag), (CACHE_CONTROL, cache_control)];
        (headers, Body::from(self.content)).into_response()
    }
}

pub(super) async fn get_asset(
    path: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let Path(name) = path.map_err(|_| BuildError::UnknownFile)?;
    let Assets { style, script, chart_js, icon, chart_js_licence } = &*ASSETS;
    let asset = [style, script, chart_js, icon, chart_js_licence].into_iter().find(|asset| asset.name == name);
    Ok(asset.ok_or(BuildError::UnknownFile)?.answer(query.as_deref(), &headers))
}
