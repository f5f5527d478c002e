//! Requests as the unit tests of this crate use them.

use crate::{BuildRequest, RequestForm, RequestLimits};

const LIMITS: RequestLimits = RequestLimits {
    packages: 10,
    name_length: 100,
    defaults_length: 100,
    rootfs_size_mb: 1000,
    repositories: 10,
    repository_keys: 10,
    repository_key_size: 1000,
};

/// A prepared request from its JSON.
pub(crate) fn request(json: &str) -> BuildRequest {
    BuildRequest::parse(json.as_bytes(), RequestForm::Prepared, &LIMITS).unwrap()
}
