//! `GET /api/v1/revision/{version}/{target}/{subtarget}`: from which revision would this be built?

use asu_core::{Distro, Target, Version};
use asu_service::{ApiError, json};
use asu_upstream::Catalog;
use axum::{
    extract::{Path, State, rejection::PathRejection},
    http::StatusCode,
    response::Response,
};
use serde::Serialize;

use crate::error::{BuildError, RevisionError};

#[derive(Serialize)]
struct Revision<'a> {
    revision: &'a str,
}

pub(crate) async fn get_revision(
    State(catalog): State<Catalog>,
    path: Result<Path<(String, String, String)>, PathRejection>,
) -> Result<Response, ApiError> {
    // What is no name is the name of nothing.
    let Path((version, target, subtarget)) = path.map_err(|_| BuildError::UnknownDocument)?;
    let version = Version::parse(&version).map_err(|_| BuildError::UnknownDocument)?;
    let target = Target::parse(&format!("{target}/{subtarget}")).map_err(|_| BuildError::UnknownDocument)?;
    let openwrt = Distro::parse("openwrt").expect("a word is a name");
    let metadata = catalog.profiles(&openwrt, &version, &target).await;
    let metadata = metadata.map_err(|error| BuildError::from(RevisionError(error)))?;
    Ok(json(StatusCode::OK, &Revision { revision: metadata.version_code.as_str() }))
}
