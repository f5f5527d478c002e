//! What the prepare service answers.

use asu_core::{BuildRequest, PackageChange, PackageSelector, RequestHash};
use asu_intake::AcceptedRequest;
use serde::Serialize;
use utoipa::ToSchema;

/// The answer to a request that can be built, as far as is known.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Prepared {
    /// Always `prepared`.
    #[schema(value_type = String, example = "prepared")]
    status: &'static str,
    /// The packages as they were asked for, in their one form.
    original_packages: Vec<PackageSelector>,
    /// Whether they were meant as the complete list.
    original_diff_packages: bool,
    /// The packages that will be built.
    resolved_packages: Vec<PackageSelector>,
    /// What was changed on the way, and why.
    changes: Vec<PackageChange>,
    /// Ready for `POST /api/v1/build?skip_package_resolution=true`.
    prepared_request: BuildRequest,
    /// The build that this request asks for.
    request_hash: RequestHash,
}

impl From<AcceptedRequest> for Prepared {
    fn from(accepted: AcceptedRequest) -> Self {
        let AcceptedRequest { request, request_hash, original_packages, changes } = accepted;
        Self {
            status: "prepared",
            original_packages,
            original_diff_packages: request.diff_packages,
            resolved_packages: request.packages.clone(),
            changes,
            prepared_request: request,
            request_hash,
        }
    }
}
