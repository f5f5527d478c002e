//! What the tests of requests share.

use asu_core::{BuildRequest, Faults, RequestForm, RequestLimits};
use serde_json::{Value, json};

pub(crate) const LIMITS: RequestLimits = RequestLimits {
    packages: 2000,
    name_length: 128,
    defaults_length: 20_480,
    rootfs_size_mb: 1024,
    repositories: 16,
    repository_keys: 16,
    repository_key_size: 4096,
};

/// A request that nothing is wrong with.
pub(crate) fn request_json() -> Value {
    json!({
        "version": "24.10.4", "target": "ath79/generic", "profile": "8dev_carambola2", "packages": ["auc", "tmux"],
    })
}

pub(crate) fn parse(body: &Value, form: RequestForm) -> Result<BuildRequest, Faults> {
    BuildRequest::parse(body.to_string().as_bytes(), form, &LIMITS)
}
