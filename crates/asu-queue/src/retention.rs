//! How long a finished build is remembered.

use asu_core::BuildRequest;

/// What of a request decides how long its result is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retention {
    /// It holds a first-boot script, which may hold passwords: the shortest time.
    WithDefaults,
    /// It pins package versions, so building it again gives the same.
    Pinned,
    /// Anything else: tomorrow there may be newer packages.
    Unpinned,
}

impl Retention {
    /// What this request's result is.
    pub fn of(request: &BuildRequest) -> Self {
        if request.defaults.is_some() {
            Self::WithDefaults
        } else if request.packages_versions.is_empty() {
            Self::Unpinned
        } else {
            Self::Pinned
        }
    }
}
