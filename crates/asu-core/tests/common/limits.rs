//! The limits that tests give to requests.

use asu_core::RequestLimits;

pub(crate) const LIMITS: RequestLimits = RequestLimits {
    packages: 2000,
    name_length: 128,
    defaults_length: 20_480,
    rootfs_size_mb: 1024,
    repositories: 16,
    repository_keys: 16,
    repository_key_size: 4096,
};
