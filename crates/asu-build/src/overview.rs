//! overview.json, branches.json and latest.json: which versions, branches and targets there are.

use std::sync::{Arc, Mutex, PoisonError};

use asu_core::{BranchOverview, LatestDocument, Overview, OverviewDocument, ServerFacts};
use asu_service::{ApiError, ErrorBody};
use asu_upstream::Catalog;
use axum::{
    body::Body,
    extract::State,
    http::{HeaderValue, header::CONTENT_TYPE},
    response::Response,
};
use bytes::Bytes;

use crate::{
    config::Config,
    error::{BuildError, DocumentError},
    run::SERVICE,
};

/// All branches with their versions and targets, and what this server allows.
#[utoipa::path(get, path = "/json/v1/overview.json", tag = "metadata", responses(
    (status = 200, description = "The overview.", body = OverviewDocument),
    (status = 503, description = "Upstream's metadata was never read and cannot be had.", body = ErrorBody),
))]
pub(crate) async fn get_overview(State(overviews): State<Overviews>) -> Result<Response, ApiError> {
    Ok(to_response(overviews.current().await?.overview.clone()))
}

/// All branches with their versions and targets, newest first.
#[utoipa::path(get, path = "/json/v1/branches.json", tag = "metadata", responses(
    (status = 200, description = "The branches.", body = Vec<BranchOverview>),
    (status = 503, description = "Upstream's metadata was never read and cannot be had.", body = ErrorBody),
))]
pub(crate) async fn get_branches(State(overviews): State<Overviews>) -> Result<Response, ApiError> {
    Ok(to_response(overviews.current().await?.branches.clone()))
}

/// The versions that upstream recommends, newest first.
#[utoipa::path(get, path = "/json/v1/latest.json", tag = "metadata", responses(
    (status = 200, description = "The versions.", body = LatestDocument),
    (status = 503, description = "Upstream's metadata was never read and cannot be had.", body = ErrorBody),
))]
pub(crate) async fn get_latest(State(overviews): State<Overviews>) -> Result<Response, ApiError> {
    Ok(to_response(overviews.current().await?.latest.clone()))
}

/// The three documents, rendered once for each change at upstream.
#[derive(Clone)]
pub(crate) struct Overviews {
    inner: Arc<Inner>,
}

struct Inner {
    catalog: Catalog,
    server: ServerFacts,
    last: Mutex<Option<Arc<Rendered>>>,
}

struct Rendered {
    /// What it was rendered from.
    source: Arc<Overview>,
    overview: Bytes,
    branches: Bytes,
    latest: Bytes,
}

impl Overviews {
    pub(crate) fn new(config: &Config, catalog: Catalog) -> Self {
        Self { inner: Arc::new(Inner { catalog, server: server_facts(config), last: Mutex::new(None) }) }
    }

    async fn current(&self) -> Result<Arc<Rendered>, ApiError> {
        let Inner { catalog, server, last } = &*self.inner;
        let source = catalog.overview().await.map_err(|error| BuildError::from(DocumentError(error)))?;
        if let Some(rendered) = self.last_of(&source) {
            return Ok(rendered);
        }
        let rendered = Rendered::new(source, catalog.upstream_url(), server);
        let rendered = Arc::new(rendered.map_err(|error| ApiError::internal(&error))?);
        *last.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&rendered));
        Ok(rendered)
    }

    fn last_of(&self, source: &Arc<Overview>) -> Option<Arc<Rendered>> {
        let last = self.inner.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.as_ref().filter(|rendered| Arc::ptr_eq(&rendered.source, source)).cloned()
    }
}

impl Rendered {
    fn new(source: Arc<Overview>, upstream_url: &str, server: &ServerFacts) -> Result<Self, serde_json::Error> {
        Ok(Self {
            overview: serde_json::to_vec(&source.document(upstream_url, server))?.into(),
            branches: serde_json::to_vec(&source.branches)?.into(),
            latest: serde_json::to_vec(&source.latest_document())?.into(),
            source,
        })
    }
}

fn server_facts(config: &Config) -> ServerFacts {
    let Config { intake, answers, .. } = config;
    ServerFacts {
        version: SERVICE.version.to_owned(),
        contact: answers.contact.clone(),
        allow_defaults: intake.allow_defaults,
        repository_allow_list: intake.repository_allow_list.clone(),
        max_custom_rootfs_size_mb: intake.max_custom_rootfs_size_mb,
        max_defaults_length: intake.max_defaults_length,
    }
}

/// A whole document of known length: some clients hang on an answer in chunks.
pub(crate) fn to_response(document: Bytes) -> Response {
    let mut response = Response::new(Body::from(document));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
