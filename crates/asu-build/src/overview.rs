//! overview.json, branches.json and latest.json: which versions, branches and targets there are.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use asu_core::{BranchOverview, Distro, LatestDocument, Overview, OverviewDocument, ServerFacts};
use asu_service::{ApiError, ErrorBody, json};
use asu_upstream::Catalogs;
use axum::{
    body::Body,
    extract::State,
    http::{HeaderValue, StatusCode, header::CONTENT_TYPE},
    response::Response,
};
use bytes::Bytes;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    config::Config,
    error::{BuildError, DocumentError},
    named_distro::NamedDistro,
    run::SERVICE,
};

/// All branches with their versions and targets, and what this server allows.
#[utoipa::path(get, path = "/json/v1/overview.json", tag = "metadata", responses(
    (status = 200, description = "The overview.", body = OverviewDocument),
    (status = 503, description = "Upstream's metadata was never read and cannot be had.", body = ErrorBody),
))]
pub(crate) async fn get_overview(
    State(overviews): State<Overviews>,
    NamedDistro(distro): NamedDistro,
) -> Result<Response, ApiError> {
    Ok(to_response(overviews.current(&distro).await?.overview.clone()))
}

/// All branches with their versions and targets, newest first.
#[utoipa::path(get, path = "/json/v1/branches.json", tag = "metadata", responses(
    (status = 200, description = "The branches.", body = Vec<BranchOverview>),
    (status = 503, description = "Upstream's metadata was never read and cannot be had.", body = ErrorBody),
))]
pub(crate) async fn get_branches(
    State(overviews): State<Overviews>,
    NamedDistro(distro): NamedDistro,
) -> Result<Response, ApiError> {
    Ok(to_response(overviews.current(&distro).await?.branches.clone()))
}

/// The versions that upstream recommends, newest first.
#[utoipa::path(get, path = "/json/v1/latest.json", tag = "metadata", responses(
    (status = 200, description = "The versions.", body = LatestDocument),
    (status = 503, description = "Upstream's metadata was never read and cannot be had.", body = ErrorBody),
))]
pub(crate) async fn get_latest(
    State(overviews): State<Overviews>,
    NamedDistro(distro): NamedDistro,
) -> Result<Response, ApiError> {
    Ok(to_response(overviews.current(&distro).await?.latest.clone()))
}

/// The distributions that requests may name.
#[utoipa::path(get, path = "/json/v1/distros.json", tag = "metadata", responses(
    (status = 200, description = "The distributions, the built-in one first.", body = Distros),
))]
pub(crate) async fn get_distros(State(catalogs): State<Catalogs>) -> Response {
    let distros = catalogs.iter().map(|(name, catalog)| DistroEntry { name, upstream_url: catalog.upstream_url() });
    json(StatusCode::OK, &Distros { distros: distros.collect() })
}

#[derive(Serialize, ToSchema)]
#[schema(as = Distros)]
pub(crate) struct Distros<'a> {
    /// All of them.
    distros: Vec<DistroEntry<'a>>,
}

/// A distribution that requests may name.
#[derive(Serialize, ToSchema)]
#[schema(as = DistroEntry)]
pub(crate) struct DistroEntry<'a> {
    /// What it is called in `distro`.
    name: Distro,
    /// Where clients find it.
    upstream_url: &'a str,
}

/// The three documents of each distribution, rendered once for each change at its upstream.
#[derive(Clone)]
pub(crate) struct Overviews {
    catalogs: Catalogs,
    server: Arc<ServerFacts>,
    last: Arc<Mutex<BTreeMap<Distro, Arc<Rendered>>>>,
}

struct Rendered {
    /// What it was rendered from.
    source: Arc<Overview>,
    overview: Bytes,
    branches: Bytes,
    latest: Bytes,
}

impl Overviews {
    pub(crate) fn new(config: &Config, catalogs: Catalogs) -> Self {
        Self { catalogs, server: Arc::new(server_facts(config)), last: Arc::default() }
    }

    async fn current(&self, distro: &Distro) -> Result<Arc<Rendered>, ApiError> {
        let document_error = |error| BuildError::from(DocumentError(error));
        let catalog = self.catalogs.of(distro).map_err(document_error)?;
        let source = catalog.overview().await.map_err(document_error)?;
        if let Some(rendered) = self.last().get(distro).filter(|rendered| Arc::ptr_eq(&rendered.source, &source)) {
            return Ok(Arc::clone(rendered));
        }
        let rendered = Rendered::new(source, catalog.upstream_url(), &self.server);
        let rendered = Arc::new(rendered.map_err(|error| ApiError::internal(&error))?);
        self.last().insert(distro.clone(), Arc::clone(&rendered));
        Ok(rendered)
    }

    fn last(&self) -> MutexGuard<'_, BTreeMap<Distro, Arc<Rendered>>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
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
