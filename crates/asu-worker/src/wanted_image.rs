//! The ImageBuilder image that a build needs, wherever it comes from.

use asu_core::{Distro, Target, Version};

/// What the registry calls it, and what it must hold.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct WantedImage {
    /// Its name in the registry.
    pub(crate) name: String,
    pub(crate) distro: Distro,
    pub(crate) version: Version,
    /// Where upstream keeps the files of the version.
    pub(crate) path: String,
    pub(crate) target: Target,
}
