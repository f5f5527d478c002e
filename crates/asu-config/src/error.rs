//! What can be wrong with the settings.

use std::path::PathBuf;

/// Settings that cannot be used; the process does not start.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The settings file is missing or unreadable.
    #[error("cannot read the settings file {}", path.display())]
    Read {
        /// The file that was named.
        path: PathBuf,
        /// Why it could not be read.
        source: std::io::Error,
    },
    /// The settings file is no TOML.
    #[error("the settings file {} is not valid TOML", path.display())]
    Syntax {
        /// The file that was read.
        path: PathBuf,
        /// Where it goes wrong.
        source: Box<toml::de::Error>,
    },
    /// An environment variable does not fit its setting.
    #[error("the environment variable {name} must be {expected}")]
    Environment {
        /// The variable.
        name: String,
        /// What would fit.
        expected: &'static str,
    },
    /// A value does not fit its setting.
    #[error("invalid settings")]
    Invalid(#[source] Box<toml::de::Error>),
    /// Two settings contradict each other.
    #[error("{0}")]
    Contradiction(String),
}
