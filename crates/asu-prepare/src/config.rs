//! The settings of the prepare service: those of its parts.

use asu_config::{Settings, SettingsError};

/// Everything that an operator can set about this process.
#[derive(Debug, Clone)]
pub struct Config {
    /// The edge of the process.
    pub service: asu_service::Config,
    /// What requests are allowed.
    pub intake: asu_intake::Config,
    /// Where metadata comes from.
    pub upstream: asu_upstream::Config,
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
        })
    }
}
