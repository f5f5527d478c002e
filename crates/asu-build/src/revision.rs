//! `GET /api/v1/revision/{version}/{target}/{subtarget}`: from which revision would this be built?

use asu_core::{Target, Version, VersionCode};
use asu_service::{ApiError, ErrorBody, json};
use asu_upstream::Catalogs;
use axum::{
    extract::{Path, State, rejection::PathRejection},
    http::StatusCode,
    response::Response,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    error::{BuildError, RevisionError},
    named_distro::NamedDistro,
};

#[derive(Serialize, ToSchema)]
#[schema(as = Revision)]
pub(crate) struct Revision<'a> {
    /// The revision of upstream's files.
    #[schema(value_type = VersionCode)]
    revision: &'a str,
}

#[derive(Deserialize)]
pub(crate) struct Segments {
    version: String,
    target: String,
    subtarget: String,
}

/// From which revision would this be built?
#[utoipa::path(get, path = "/api/v1/revision/{version}/{target}/{subtarget}", tag = "metadata",
    params(
        ("version" = Version, Path, description = "The version.", example = "24.10.4"),
        ("target" = String, Path, description = "The first half of the target.", example = "ath79"),
        ("subtarget" = String, Path, description = "The second half of the target.", example = "generic"),
    ),
    responses(
        (status = 200, description = "The revision.", body = Revision),
        (status = 400, description = "A version of a branch that this server does not serve.", body = ErrorBody),
        (status = 404, description = "Upstream has no such version or target.", body = ErrorBody),
        (status = 503, description = "Upstream's metadata cannot be had.", body = ErrorBody),
    ),
)]
pub(crate) async fn get_revision(
    State(catalogs): State<Catalogs>,
    NamedDistro(distro): NamedDistro,
    path: Result<Path<Segments>, PathRejection>,
) -> Result<Response, ApiError> {
    // What is no name is the name of nothing.
    let Path(Segments { version, target, subtarget }) = path.map_err(|_| BuildError::UnknownDocument)?;
    let version = Version::parse(&version).map_err(|_| BuildError::UnknownDocument)?;
    let target = Target::parse(&format!("{target}/{subtarget}")).map_err(|_| BuildError::UnknownDocument)?;
    let revision_error = |error| BuildError::from(RevisionError(error));
    let catalog = catalogs.of(&distro).map_err(revision_error)?;
    let metadata = catalog.profiles(&version, &target).await.map_err(revision_error)?;
    Ok(json(StatusCode::OK, &Revision { revision: metadata.version_code.as_str() }))
}
