//! What requests an operator allows.

use asu_config::{ByteSize, Settings, SettingsError};
use asu_core::{AllowList, RequestLimits};
use serde::Deserialize;

/// The settings of requests; the fields are named as the keys in `asu.example.toml`.
#[derive(Debug, Clone, Deserialize)]
pub struct Config {
    /// First-boot scripts allowed.
    pub allow_defaults: bool,
    /// The longest first-boot script, in bytes.
    pub max_defaults_length: usize,
    /// The largest root filesystem partition, in MiB.
    pub max_custom_rootfs_size_mb: u32,
    /// Prefixes of allowed repositories.
    pub repository_allow_list: Vec<String>,
    /// The most packages.
    pub max_packages: usize,
    /// The longest name, in bytes.
    pub max_package_name_length: usize,
    /// The most custom repositories.
    pub max_repositories: usize,
    /// The most repository keys.
    pub max_repository_keys: usize,
    /// The largest repository key.
    pub max_repository_key_size: ByteSize,
}

impl Config {
    /// Reads and checks this crate's settings.
    ///
    /// # Errors
    /// A value of the wrong form, or an allowed repository that is no plain URL.
    pub fn load(settings: &Settings) -> Result<Self, SettingsError> {
        let config: Self = settings.section()?;
        config.allow_list()?;
        Ok(config)
    }

    pub(crate) fn limits(&self) -> RequestLimits {
        RequestLimits {
            packages: self.max_packages,
            name_length: self.max_package_name_length,
            defaults_length: self.max_defaults_length,
            rootfs_size_mb: self.max_custom_rootfs_size_mb,
            repositories: self.max_repositories,
            repository_keys: self.max_repository_keys,
            repository_key_size: usize::try_from(self.max_repository_key_size.get()).unwrap_or(usize::MAX),
        }
    }

    pub(crate) fn allow_list(&self) -> Result<AllowList, SettingsError> {
        AllowList::parse(&self.repository_allow_list)
            .map_err(|error| SettingsError::Contradiction(format!("repository_allow_list: {error}")))
    }
}
