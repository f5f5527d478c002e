//! A build request whose every field has been checked and brought into its one form.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    Distro, Filesystem, PackageName, PackageSelector, PackageVersion, ProfileName, RepositoriesMode, RepositoryKey,
    RepositoryName, RepositoryUrl, Target, Version, VersionCode,
};

/// What a firmware image is made of. Serialises to the `request` object of the wire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BuildRequest {
    /// The distribution, `openwrt` unless another is asked for.
    pub distro: Distro,
    /// The version to build.
    pub version: Version,
    /// The revision that the ImageBuilder must have; empty for any.
    pub version_code: VersionCode,
    /// The target to build for.
    pub target: Target,
    /// The profile to build for; canonical once it was looked up in the target's metadata.
    pub profile: ProfileName,
    /// What to install and what to leave out, in the order of the request, without duplicates.
    pub packages: Vec<PackageSelector>,
    /// Versions that the built manifest must hold.
    pub packages_versions: BTreeMap<PackageName, PackageVersion>,
    /// True if the package list is absolute: default packages outside it are removed.
    pub diff_packages: bool,
    /// The first-boot script.
    pub defaults: Option<String>,
    /// The size of the root filesystem's partition in MiB.
    pub rootfs_size_mb: Option<u32>,
    /// The only filesystem to make images of.
    pub filesystem: Option<Filesystem>,
    /// Custom package repositories.
    pub repositories: BTreeMap<RepositoryName, RepositoryUrl>,
    /// How they go together with the ImageBuilder's own.
    pub repositories_mode: RepositoriesMode,
    /// Keys of the custom repositories.
    pub repository_keys: Vec<RepositoryKey>,
    /// The client's own description of itself; for statistics only.
    pub client: Option<String>,
    /// The version that the device runs now, for migrations.
    pub from_version: Option<Version>,
}
