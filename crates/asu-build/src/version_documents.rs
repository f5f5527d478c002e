//! `GET /json/v1/{path}/…`: profiles and lists of packages of one version.

use std::sync::Arc;

use asu_core::{Arch, DocumentPath, PackageIndex, ProfileName, Target, Version, merge_feeds};
use asu_service::{ApiError, ErrorBody, json};
use asu_upstream::{Catalog, Catalogs};
use axum::{
    extract::{Path, State, rejection::PathRejection},
    http::StatusCode,
    response::Response,
};
use serde::Deserialize;
use utoipa::OpenApi;

use crate::{
    error::{BuildError, DocumentError},
    named_distro::NamedDistro,
    overview::to_response,
};

#[derive(Deserialize)]
pub(crate) struct Segments {
    path: String,
}

/// The description of what the one route for all paths answers: a `{path}` of two segments is no pattern of a router.
pub(crate) fn version_documents() -> utoipa::openapi::OpenApi {
    #[derive(OpenApi)]
    #[openapi(paths(get_profile, get_target_index, get_arch_index), components(schemas(PackageIndex)))]
    struct VersionDocuments;
    VersionDocuments::openapi()
}

pub(crate) async fn get_version_document(
    State(catalogs): State<Catalogs>,
    NamedDistro(distro): NamedDistro,
    path: Result<Path<Segments>, PathRejection>,
) -> Result<Response, ApiError> {
    let Path(Segments { path }) = path.map_err(|_| BuildError::UnknownDocument)?;
    let catalog = catalogs.of(&distro).map_err(|error| BuildError::from(DocumentError(error)))?;
    match DocumentPath::parse(&path).ok_or(BuildError::UnknownDocument)? {
        DocumentPath::Profile { version, target, profile } => get_profile(catalog, version, target, profile).await,
        DocumentPath::TargetIndex { version, target } => get_target_index(catalog, version, target).await,
        DocumentPath::ArchIndex { version, arch } => get_arch_index(catalog, version, arch).await,
    }
}

/// All that upstream says about a profile and its target; empty if the target has no such profile.
#[utoipa::path(get, path = "/json/v1/{path}/targets/{target}/{subtarget}/{profile}.json", tag = "metadata", params(
    ("path" = String, Path, description = "`snapshots` or `releases/{version}`.", example = "releases/24.10.4"),
    ("target" = String, Path, description = "The first half of the target.", example = "ath79"),
    ("subtarget" = String, Path, description = "The second half of the target.", example = "generic"),
    ("profile" = ProfileName, Path, description = "The profile, by any of its names."),
), responses(
    (status = 200, description = "The profile.", body = Value),
    (status = 404, description = "Upstream has no such version, target or architecture.", body = ErrorBody),
    (status = 503, description = "Upstream's metadata was never read and cannot be had.", body = ErrorBody),
))]
async fn get_profile(
    catalog: &Catalog,
    version: Version,
    target: Target,
    profile: ProfileName,
) -> Result<Response, ApiError> {
    let metadata = catalog.profiles(&version, &target).await;
    let metadata = metadata.map_err(|error| BuildError::from(DocumentError(error)))?;
    Ok(json(StatusCode::OK, &metadata.profile_document(&profile)))
}

/// The packages of a target with their versions, its kernel modules included.
#[utoipa::path(get, path = "/json/v1/{path}/targets/{target}/{subtarget}/index.json", tag = "metadata", params(
    ("path" = String, Path, description = "`snapshots` or `releases/{version}`.", example = "releases/24.10.4"),
    ("target" = String, Path, description = "The first half of the target.", example = "ath79"),
    ("subtarget" = String, Path, description = "The second half of the target.", example = "generic"),
), responses(
    (status = 200, description = "The packages.", body = PackageIndex),
    (status = 404, description = "Upstream has no such version, target or architecture.", body = ErrorBody),
    (status = 503, description = "Upstream's metadata was never read and cannot be had.", body = ErrorBody),
))]
async fn get_target_index(catalog: &Catalog, version: Version, target: Target) -> Result<Response, ApiError> {
    let index = catalog.target_index(&version, &target).await;
    let index = index.map_err(|error| BuildError::from(DocumentError(error)))?;
    Ok(json(StatusCode::OK, &index.ok_or(BuildError::UnknownDocument)?))
}

/// The packages of all feeds of an architecture with their versions.
#[utoipa::path(get, path = "/json/v1/{path}/packages/{arch}-index.json", tag = "metadata", params(
    ("path" = String, Path, description = "`snapshots` or `releases/{version}`.", example = "releases/24.10.4"),
    ("arch" = Arch, Path, description = "The architecture of the packages."),
), responses(
    (status = 200, description = "The packages.", body = BTreeMap<String, String>),
    (status = 404, description = "Upstream has no such version, target or architecture.", body = ErrorBody),
    (status = 503, description = "Upstream's metadata was never read and cannot be had.", body = ErrorBody),
))]
async fn get_arch_index(catalog: &Catalog, version: Version, arch: Arch) -> Result<Response, ApiError> {
    let feeds = catalog.arch_index(&version, &arch).await;
    let feeds = feeds.map_err(|error| BuildError::from(DocumentError(error)))?.ok_or(BuildError::UnknownDocument)?;
    // Ten thousand packages take some milliseconds.
    let rendered = tokio::task::spawn_blocking(move || render(&feeds)).await;
    let rendered = rendered.map_err(|error| ApiError::internal(&error))?;
    Ok(to_response(rendered.map_err(|error| ApiError::internal(&error))?.into()))
}

fn render(feeds: &[Arc<PackageIndex>]) -> Result<Vec<u8>, serde_json::Error> {
    serde_json::to_vec(&merge_feeds(feeds))
}
