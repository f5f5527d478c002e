//! `GET /json/v1/{path}/…`: profiles and lists of packages of one version.

use std::sync::Arc;

use asu_core::{Arch, Distro, DocumentPath, PackageIndex, ProfileName, Target, Version, merge_feeds};
use asu_service::{ApiError, json};
use asu_upstream::Catalog;
use axum::{
    extract::{Path, State, rejection::PathRejection},
    http::StatusCode,
    response::Response,
};

use crate::{
    error::{BuildError, DocumentError},
    overview::to_response,
};

pub(crate) async fn get_version_document(
    State(catalog): State<Catalog>,
    path: Result<Path<String>, PathRejection>,
) -> Result<Response, ApiError> {
    let Path(path) = path.map_err(|_| BuildError::UnknownDocument)?;
    match DocumentPath::parse(&path).ok_or(BuildError::UnknownDocument)? {
        DocumentPath::Profile { version, target, profile } => get_profile(&catalog, version, target, profile).await,
        DocumentPath::TargetIndex { version, target } => get_target_index(&catalog, version, target).await,
        DocumentPath::ArchIndex { version, arch } => get_arch_index(&catalog, version, arch).await,
    }
}

async fn get_profile(
    catalog: &Catalog,
    version: Version,
    target: Target,
    profile: ProfileName,
) -> Result<Response, ApiError> {
    let openwrt = Distro::parse("openwrt").expect("a word is a name");
    let metadata = catalog.profiles(&openwrt, &version, &target).await;
    let metadata = metadata.map_err(|error| BuildError::from(DocumentError(error)))?;
    Ok(json(StatusCode::OK, &metadata.profile_document(&profile)))
}

async fn get_target_index(catalog: &Catalog, version: Version, target: Target) -> Result<Response, ApiError> {
    let index = catalog.target_index(&version, &target).await;
    let index = index.map_err(|error| BuildError::from(DocumentError(error)))?;
    Ok(json(StatusCode::OK, &index.ok_or(BuildError::UnknownDocument)?))
}

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
