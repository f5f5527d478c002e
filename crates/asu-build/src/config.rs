//! The settings of the build service: its own and those of its parts.

use asu_config::{ByteSize, Settings, SettingsError};
use serde::Deserialize;

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
}

/// The settings that only this service has.
#[derive(Debug, Clone, Deserialize)]
pub struct AnswersConfig {
    /// Whom users may write to; empty for nobody.
    pub contact: String,
    /// How much memory the rendered answers of finished builds may take.
    pub answer_cache_size: ByteSize,
}

impl Config {
    /// Reads and checks the settings.
    ///
    /// # Errors
    /// A setting that does not fit.
    pub fn load(settings: &Settings) -> Result<Self, SettingsError> {
        Ok(Self {
            service: asu_service::Config::load(settings)?,
            intake: asu_intake::Config::load(settings)?,
            upstream: settings.section()?,
            queue: settings.section()?,
            store: settings.section()?,
            answers: settings.section()?,
        })
    }
}
