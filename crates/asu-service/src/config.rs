//! The settings of every process's edge.

use asu_config::{ByteSize, DurationSetting, Settings, SettingsError};
use serde::Deserialize;

use crate::{body::BodyLimit, client_address::TrustedProxies, service::Service};

/// The settings that every process has; the fields are named as the keys in `asu.example.toml`.
#[derive(Debug, Clone, Deserialize)]
pub struct Config {
    /// Address and port to listen on; empty for [`Service::listen`].
    pub listen: String,
    /// A level, or a filter as `tracing-subscriber` understands it.
    pub log_level: String,
    /// How log lines look.
    pub log_format: LogFormat,
    /// Whether this process adds the CORS headers.
    pub cors: bool,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: TrustedProxies,
    /// The longest that a request may take until its answer begins.
    pub request_timeout: DurationSetting,
    /// The longest that the headers of a request may take, and that a connection may be idle.
    pub header_timeout: DurationSetting,
    /// The longest that the body of a request may take to arrive.
    pub body_timeout: DurationSetting,
    /// The longest that a client may take nothing of its answer.
    pub write_timeout: DurationSetting,
    /// The largest body of a request.
    pub max_body_size: ByteSize,
    /// The largest header block of a request; at least 8 KiB.
    pub max_header_size: ByteSize,
    /// The most connections at a time; more wait in the kernel's backlog.
    pub max_connections: u32,
    /// The longest that one check of `/ready` may take.
    pub check_timeout: DurationSetting,
    /// The longest that running requests and tasks may take to finish after SIGTERM.
    pub shutdown_grace: DurationSetting,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people, on stderr.
    Text,
    /// One JSON object per line, on stdout.
    Json,
}

/// Less would refuse what browsers send.
const LEAST_HEADER_SIZE: u64 = 8 * 1024;

impl Config {
    /// Reads and checks this crate's settings.
    ///
    /// # Errors
    /// A value of the wrong form, or one that would make the process useless.
    pub fn load(settings: &Settings) -> Result<Self, SettingsError> {
        let config: Self = settings.section()?;
        config.check().map_err(|sentence| SettingsError::Contradiction(sentence.to_owned()))?;
        Ok(config)
    }

    /// Where to listen.
    pub fn address(&self, service: &Service) -> String {
        if self.listen.is_empty() { service.listen.to_owned() } else { self.listen.clone() }
    }

    /// The limits of [`crate::RawBody`], for a service's state.
    pub fn body_limit(&self) -> BodyLimit {
        BodyLimit { max_size: self.max_body_size.get(), timeout: self.body_timeout.get() }
    }

    fn check(&self) -> Result<(), &'static str> {
        if self.max_connections == 0 {
            return Err("max_connections must be at least 1");
        }
        if self.max_header_size.get() < LEAST_HEADER_SIZE {
            return Err("max_header_size must be at least 8KiB");
        }
        if self.body_timeout > self.request_timeout {
            return Err("body_timeout must not be longer than request_timeout");
        }
        let timeouts =
            [self.request_timeout, self.header_timeout, self.body_timeout, self.write_timeout, self.check_timeout];
        if timeouts.iter().any(is_zero) {
            return Err(
                "request_timeout, header_timeout, body_timeout, write_timeout and check_timeout must be longer than 0s",
            );
        }
        Ok(())
    }
}

fn is_zero(duration: &DurationSetting) -> bool {
    duration.get().is_zero()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_usable() {
        let config = Config::load(&Settings::defaults()).unwrap();
        assert_eq!((config.log_format, config.max_body_size.get()), (LogFormat::Text, 256 * 1024));
    }

    #[test]
    fn contradicting_settings_are_refused_with_a_sentence() {
        for (key, value, named) in [
            ("max_connections", 0, "max_connections"),
            ("max_header_size", 100, "max_header_size"),
            ("body_timeout", 3600, "body_timeout must not be longer than request_timeout"),
            ("header_timeout", 0, "header_timeout"),
        ] {
            let error = Config::load(&Settings::defaults().with(key, value)).unwrap_err();
            assert!(error.to_string().contains(named), "{error}");
        }
    }
}
