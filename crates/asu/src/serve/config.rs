//! The settings of `asu serve`: those of its services, and what no other process has.

use std::path::PathBuf;

use asu_config::{Settings, SettingsError};
use serde::Deserialize;

/// Everything that an operator can set about the three services.
#[derive(Debug)]
pub(crate) struct Config {
    /// The build service; the prepare service shares its parts.
    pub(crate) build: asu_build::Config,
    /// The worker.
    pub(crate) worker: asu_worker::Config,
}

impl Config {
    /// Reads and checks the settings.
    ///
    /// # Errors
    /// A setting that does not fit.
    pub(crate) fn load(settings: &Settings) -> Result<Self, SettingsError> {
        Ok(Self { build: asu_build::Config::load(settings)?, worker: asu_worker::Config::load(settings)? })
    }
}

/// Where this machine's own data lies; the fields are the keys.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct ServeConfig {
    /// The data of the private Redis; empty for `redis/` below `public_path`.
    data_path: String,
    /// The directory that holds `store/`.
    public_path: PathBuf,
}

impl ServeConfig {
    /// The directory of the private Redis.
    pub(crate) fn redis_directory(&self) -> PathBuf {
        if self.data_path.is_empty() { self.public_path.join("redis") } else { PathBuf::from(&self.data_path) }
    }
}

/// True if nobody named a Redis, so that we start one of our own.
pub(crate) fn wants_private_redis(settings: &Settings) -> bool {
    let is_empty = |url: RedisUrl| url.redis_url.is_empty();
    !settings.is_chosen("redis_url") || settings.section().is_ok_and(is_empty)
}

#[derive(Deserialize)]
struct RedisUrl {
    redis_url: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redis_is_private_unless_somebody_names_one() {
        assert!(wants_private_redis(&Settings::defaults()));
        assert!(wants_private_redis(&Settings::defaults().with("redis_url", "")));
        assert!(!wants_private_redis(&Settings::defaults().with("redis_url", "redis://localhost:6379")));
    }

    #[test]
    fn its_data_lies_below_the_public_path_or_where_the_settings_say() {
        let settings = Settings::defaults().with("public_path", "/srv/asu");
        assert_eq!(settings.section::<ServeConfig>().unwrap().redis_directory(), PathBuf::from("/srv/asu/redis"));
        let settings = settings.with("data_path", "/var/lib/asu");
        assert_eq!(settings.section::<ServeConfig>().unwrap().redis_directory(), PathBuf::from("/var/lib/asu"));
    }
}
