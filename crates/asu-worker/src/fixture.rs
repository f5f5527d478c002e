//! A request as the unit tests of this crate use it.

use asu_core::{BuildRequest, RequestForm, RequestHash, RequestLimits};

const LIMITS: RequestLimits = RequestLimits {
    packages: 10,
    name_length: 100,
    defaults_length: 100,
    rootfs_size_mb: 1000,
    repositories: 10,
    repository_keys: 10,
    repository_key_size: 1000,
};

/// A request for a release, without anything out of the ordinary.
pub(crate) fn request() -> BuildRequest {
    let body = br#"{"version": "24.10.4", "target": "ath79/generic", "profile": "8dev_carambola2",
        "packages": ["vim", "-dropbear"]}"#;
    BuildRequest::parse(body, RequestForm::Prepared, &LIMITS).unwrap()
}

/// Its hash.
pub(crate) fn request_hash() -> RequestHash {
    RequestHash::of(&request())
}
