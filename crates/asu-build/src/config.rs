//! The settings of the build service: its own and those of its parts.

use asu_config::{ByteSize, DurationSetting, Settings, SettingsError};
use serde::Deserialize;
use url::Url;

/// Everything that an operator can set about this process.
#[derive(Debug, Clone)]
pub struct Config {
    /// The edge of the process.
    pub service: asu_service::Config,
    /// What requests are allowed.
    pub intake: asu_intake::Config,
    /// Where metadata comes from.
    pub upstream: asu_upstream::Config,
    /// The queue.
    pub queue: asu_queue::Config,
    /// Where the images are.
    pub store: asu_store::Config,
    /// The answers of this service.
    pub answers: AnswersConfig,
    /// The logs of builds.
    pub log: LogConfig,
}

/// The settings that only this service has.
#[derive(Debug, Clone, Deserialize)]
pub struct AnswersConfig {
    /// Whom users may write to; empty for nobody.
    pub contact: String,
    /// How much memory the rendered answers of finished builds may take.
    pub answer_cache_size: ByteSize,
    /// How many who ask about builds are answered at the same time; more wait.
    pub max_lookups: u32,
    /// The URI that statements about images call this server; empty for the address at which it is reached.
    pub provenance_builder_id: String,
}

impl AnswersConfig {
    fn check(&self) -> Result<(), SettingsError> {
        let id = &self.provenance_builder_id;
        match Url::parse(id) {
            Err(error) if !id.is_empty() => {
                Err(SettingsError::Contradiction(format!("provenance_builder_id must be a URI, not {id:?}: {error}")))
            }
            Ok(_) | Err(_) => Ok(()),
        }
    }
}

/// The settings of clients that follow the log of a build.
#[derive(Debug, Clone, Deserialize)]
pub struct LogConfig {
    /// The most such clients at the same time.
    pub max_log_followers: usize,
    /// How often a build that is followed is looked at, however many do.
    pub log_poll_interval: DurationSetting,
    /// How often a stream without events shows that it lives.
    pub log_heartbeat: DurationSetting,
    /// The longest that a client may take nothing of what it is sent.
    pub log_write_timeout: DurationSetting,
}

impl LogConfig {
    fn check(&self) -> Result<(), SettingsError> {
        let times = [
            ("log_poll_interval", self.log_poll_interval),
            ("log_heartbeat", self.log_heartbeat),
            ("log_write_timeout", self.log_write_timeout),
        ];
        match times.into_iter().find(|(_, time)| time.get().is_zero()) {
            Some((name, _)) => Err(SettingsError::Contradiction(format!("{name} must be longer than nothing"))),
            None => Ok(()),
        }
    }
}

impl Config {
    /// Reads and checks the settings.
    ///
    /// # Errors
    /// A setting that does not fit.
    pub fn load(settings: &Settings) -> Result<Self, SettingsError> {
        let config = Self {
            service: asu_service::Config::load(settings)?,
            intake: asu_intake::Config::load(settings)?,
            upstream: settings.section()?,
            queue: settings.section()?,
            store: settings.section()?,
            answers: settings.section()?,
            log: settings.section()?,
        };
        config.store.validate().map_err(|error| SettingsError::Contradiction(error.to_string()))?;
        config.answers.check()?;
        config.log.check()?;
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_builder_is_named_by_a_uri_or_not_at_all() {
        let load = |id: &str| Config::load(&Settings::defaults().with("provenance_builder_id", id));
        for id in ["", "https://sysupgrade.example.org", "urn:example:builder"] {
            assert_eq!(load(id).unwrap().answers.provenance_builder_id, id);
        }
        let error = load("our server").unwrap_err();
        assert!(asu_service::error_chain(&error).contains("provenance_builder_id must be a URI"), "{error}");
    }

    #[test]
    fn times_of_nothing_are_refused_by_their_names() {
        assert_eq!(Config::load(&Settings::defaults()).unwrap().log.max_log_followers, 256);
        for name in ["log_poll_interval", "log_heartbeat", "log_write_timeout"] {
            let error = Config::load(&Settings::defaults().with(name, "0s")).unwrap_err();
            assert!(asu_service::error_chain(&error).contains(&format!("{name} must be longer")), "{error}");
        }
    }
}
