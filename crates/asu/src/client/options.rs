//! The command-line options of `asu prepare` and `asu build`.

use std::{path::PathBuf, time::Duration};

use asu_config::DurationSetting;
use clap::Args;
use serde::{
    Deserialize,
    de::{IntoDeserializer, value::Error as ValueError},
};

use crate::client::{request_options::RequestOptions, server_url::ServerUrl};

/// Options of `asu prepare`.
#[derive(Debug, Args)]
pub(crate) struct PrepareOptions {
    #[command(flatten)]
    pub(crate) request: RequestOptions,
    #[command(flatten)]
    pub(crate) connection: Connection,
    /// The longest to wait for a server that is busy
    #[arg(long, value_name = "DURATION", default_value = "1m", value_parser = parse_duration, help_heading = "Server")]
    pub(crate) timeout: Duration,
}

/// Options of `asu build`.
#[derive(Debug, Args)]
pub(crate) struct BuildOptions {
    #[command(flatten)]
    pub(crate) request: RequestOptions,
    #[command(flatten)]
    pub(crate) connection: Connection,
    /// The longest to wait until the build is done; downloads are not part of it
    #[arg(long, value_name = "DURATION", default_value = "1h", value_parser = parse_duration, help_heading = "Server")]
    pub(crate) timeout: Duration,
    /// How often to ask how it is going, at first; five times as long later
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = parse_duration, help_heading = "Server")]
    pub(crate) poll_interval: Duration,
    /// Go ahead without asking
    #[arg(long, short, help_heading = "Options")]
    pub(crate) yes: bool,
    /// Post the request as it is, without asking what would be changed first
    #[arg(long, help_heading = "Options")]
    pub(crate) no_prepare: bool,
    /// Where to put the images
    #[arg(long, short, value_name = "DIR", default_value = ".", help_heading = "Images")]
    pub(crate) output: PathBuf,
    /// Fetch only images of this type, such as sysupgrade or combined-efi; may be repeated
    #[arg(long, value_name = "TYPE", help_heading = "Images")]
    pub(crate) image: Vec<String>,
}

/// Which server, and how we talk to the user.
#[derive(Debug, Args)]
pub(crate) struct Connection {
    /// The server's address
    #[arg(
        long,
        env = "ASU_SERVER",
        hide_env_values = true,
        value_name = "URL",
        default_value = "http://127.0.0.1:8000",
        help_heading = "Server"
    )]
    pub(crate) server: ServerUrl,
    /// Write one JSON document to stdout, everything else to stderr
    #[arg(long, help_heading = "Options")]
    pub(crate) json: bool,
    /// Write only results and errors
    #[arg(long, short, help_heading = "Options")]
    pub(crate) quiet: bool,
}

/// Durations as in the settings: `30m`, `45s`, or a number of seconds.
fn parse_duration(text: &str) -> Result<Duration, String> {
    let deserializer: serde::de::value::StrDeserializer<'_, ValueError> = text.into_deserializer();
    DurationSetting::deserialize(deserializer).map(DurationSetting::get).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_written_as_in_the_settings() {
        assert_eq!(parse_duration("30m"), Ok(Duration::from_secs(1800)));
        assert_eq!(parse_duration("20ms"), Ok(Duration::from_millis(20)));
        assert!(parse_duration("soon").unwrap_err().contains("expected a duration"));
    }
}
