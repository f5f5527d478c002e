//! The command line of every process, and the one place where the environment is read.

use std::{env, path::PathBuf};

use asu_config::{Settings, SettingsError};
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::{service::Service, settings_help::settings_help};

/// The flags that every binary has; one with commands of its own flattens them into its parser.
#[derive(Debug, Clone, Default, Args)]
pub struct Flags {
    /// Read settings from this file instead of asu.toml
    #[arg(long, value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,
    /// Listen on this address and port instead of the setting's
    #[arg(long, value_name = "ADDR", global = true)]
    pub listen: Option<String>,
}

/// The command line of a process that only serves.
#[derive(Debug, Parser)]
pub struct Cli {
    /// The flags that every binary has.
    #[command(flatten)]
    pub flags: Flags,
    /// What to do instead of serving.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What a process can do besides serving.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Ask the process that listens with these settings whether it is well; for images without a shell
    Healthcheck {
        /// Ask whether it is ready to work, not only whether it lives
        #[arg(long)]
        ready: bool,
    },
}

impl Cli {
    /// Parses the arguments of the process; `--help`, `--version` and mistakes end it.
    pub fn parse_for(service: &Service) -> Self {
        let matches = Self::command_for(service).get_matches();
        Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
    }

    fn command_for(service: &Service) -> clap::Command {
        let command = Self::command().name(service.name).version(service.version).about(service.about);
        command.after_help("--help lists all settings.").after_long_help(settings_help())
    }
}

/// Reads the settings: defaults, file, environment, flags.
///
/// # Errors
/// A file or a variable that cannot be used.
#[expect(clippy::disallowed_methods, reason = "the one place where the environment is read")]
pub fn load_settings(flags: &Flags) -> Result<Settings, SettingsError> {
    // A variable that is not Unicode is none of ours.
    let variables =
        env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let settings = Settings::load(flags.config.as_deref(), variables)?;
    Ok(match &flags.listen {
        Some(address) => settings.with("listen", address.clone()),
        None => settings,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVICE: Service = Service { name: "asu-test", version: "1.2.3", about: "A test", listen: "127.0.0.1:0" };

    #[test]
    fn the_flag_wins_over_the_setting() {
        let flags = Flags { config: None, listen: Some("127.0.0.1:7".to_owned()) };
        let config = crate::Config::load(&load_settings(&flags).unwrap()).unwrap();
        assert_eq!(config.address(&SERVICE), "127.0.0.1:7");
    }

    #[test]
    fn the_long_help_lists_the_settings_and_the_short_one_does_not() {
        let mut command = Cli::command_for(&SERVICE);
        command.clone().debug_assert();
        assert!(command.render_long_help().to_string().contains("SHUTDOWN_GRACE"));
        assert!(!command.render_help().to_string().contains("SHUTDOWN_GRACE"));
        assert_eq!(command.render_version(), "asu-test 1.2.3\n");
    }

    #[test]
    fn a_command_may_stand_before_the_flags() {
        let cli = Cli::try_parse_from(["asu-test", "healthcheck", "--ready", "--listen", "[::1]:9"]).unwrap();
        assert_eq!(cli.command, Some(Command::Healthcheck { ready: true }));
        assert_eq!(cli.flags.listen.as_deref(), Some("[::1]:9"));
    }
}
