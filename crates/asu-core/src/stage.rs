//! The stages of a running build, in the names that clients know.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a worker is doing for a build, as told in `imagebuilder_status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Taken by a worker, nothing started yet.
    Init,
    /// The ImageBuilder image is pulled and its container made.
    ContainerSetup,
    /// The revision of the ImageBuilder is compared with the requested one.
    ValidateRevision,
    /// Packages are resolved and installed once to learn the manifest.
    ValidateManifest,
    /// The firmware images are made.
    BuildingImage,
    /// The firmware images are signed.
    SigningImages,
}

impl Stage {
    /// Every stage, in the order in which a build passes them.
    pub const ALL: [Self; 6] = [
        Self::Init,
        Self::ContainerSetup,
        Self::ValidateRevision,
        Self::ValidateManifest,
        Self::BuildingImage,
        Self::SigningImages,
    ];

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Init => "init",
            Self::ContainerSetup => "container_setup",
            Self::ValidateRevision => "validate_revision",
            Self::ValidateManifest => "validate_manifest",
            Self::BuildingImage => "building_image",
            Self::SigningImages => "signing_images",
        }
    }

    /// The stage of that name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.as_str() == name)
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
