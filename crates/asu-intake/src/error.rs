//! Why a request is not accepted, and what its sender is told.

use std::time::Duration;

use asu_core::{Faults, ProfileName, RepositoryUrl};
use asu_service::ApiError;
use asu_upstream::CatalogError;
use axum::http::HeaderName;

/// A request that goes no further.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// The body is no request.
    #[error("{0}")]
    Malformed(Faults),
    /// A first-boot script, where the operator allows none.
    #[error("Handling `defaults` not enabled on server")]
    DefaultsNotEnabled,
    /// A repository that is not on the operator's list.
    #[error("Repository not allowed: {0}")]
    RepositoryNotAllowed(RepositoryUrl),
    /// Upstream does not have what is asked for, or cannot be asked.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// The target has no such profile.
    #[error(
        "Unsupported profile: {0}. The requested profile was either dropped or never existed. \
         Please check the forums for more information."
    )]
    UnsupportedProfile(ProfileName),
}

/// auc prints this header of an answer 422.
const X_UNKNOWN_PACKAGE: HeaderName = HeaderName::from_static("x-unknown-package");
/// How long a client should wait while upstream is away; about a retry of ours.
pub const UPSTREAM_RETRY: Duration = Duration::from_secs(30);

impl IntakeError {
    /// A name for metrics, from a small closed set.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "malformed",
            Self::DefaultsNotEnabled => "defaults_not_enabled",
            Self::RepositoryNotAllowed(_) => "repository_not_allowed",
            Self::Catalog(CatalogError::Unavailable { .. }) => "upstream_unavailable",
            Self::Catalog(CatalogError::UnsupportedDistro(_)) => "unsupported_distro",
            Self::Catalog(CatalogError::UnsupportedBranch(_)) => "unsupported_branch",
            Self::Catalog(CatalogError::UnsupportedVersion(_)) => "unsupported_version",
            Self::Catalog(CatalogError::UnsupportedTarget(_)) => "unsupported_target",
            Self::UnsupportedProfile(_) => "unsupported_profile",
        }
    }
}

impl From<IntakeError> for ApiError {
    fn from(error: IntakeError) -> Self {
        let text = error.to_string();
        match &error {
            IntakeError::Malformed(faults) => Self::unprocessable(text)
                .with_field("errors", serde_json::json!(faults))
                .with_header(X_UNKNOWN_PACKAGE, &faults.offending_value()),
            IntakeError::Catalog(CatalogError::Unavailable { .. }) => {
                Self::unavailable(text, UPSTREAM_RETRY).caused_by(&error)
            }
            IntakeError::DefaultsNotEnabled
            | IntakeError::RepositoryNotAllowed(_)
            | IntakeError::UnsupportedProfile(_)
            | IntakeError::Catalog(
                CatalogError::UnsupportedDistro(_)
                | CatalogError::UnsupportedBranch(_)
                | CatalogError::UnsupportedVersion(_)
                | CatalogError::UnsupportedTarget(_),
            ) => Self::bad_request(text),
        }
    }
}
