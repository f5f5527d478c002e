//! Log lines: text for people on stderr, or JSON for machines on stdout.

use std::{
    backtrace::{Backtrace, BacktraceStatus},
    io::{self, IsTerminal},
    panic::{self, PanicHookInfo},
};

use tracing_subscriber::{EnvFilter, filter::ParseError, fmt, util::SubscriberInitExt};

use crate::config::{Config, LogFormat};

/// Logging could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// `log_level` is neither a level nor a filter.
    #[error("log_level {filter:?} is neither a level nor a filter")]
    Filter {
        /// The setting.
        filter: String,
        /// What is wrong with it.
        source: ParseError,
    },
    /// Somebody else set up logging before.
    #[error("logging was set up twice")]
    Twice(#[source] tracing_subscriber::util::TryInitError),
}

/// Sets up logging for the whole process: the one thing that is global. Panics become log lines too.
///
/// # Errors
/// A `log_level` that cannot be understood, or a second call.
pub fn init_telemetry(config: &Config) -> Result<(), TelemetryError> {
    let level = EnvFilter::try_new(&config.log_level)
        .map_err(|source| TelemetryError::Filter { filter: config.log_level.clone(), source })?;
    let initialised = match config.log_format {
        LogFormat::Text => fmt()
            .with_env_filter(level)
            .with_writer(io::stderr)
            .with_ansi(io::stderr().is_terminal())
            .finish()
            .try_init(),
        LogFormat::Json => {
            fmt().json().flatten_event(true).with_env_filter(level).with_writer(io::stdout).finish().try_init()
        }
    };
    initialised.map_err(TelemetryError::Twice)?;
    panic::set_hook(Box::new(log_panic));
    Ok(())
}

/// One line within the request's span, where the standard hook would write several of plain text.
fn log_panic(info: &PanicHookInfo<'_>) {
    let message = info.payload_as_str().unwrap_or("no message");
    let location = info.location().map(ToString::to_string);
    let backtrace = Backtrace::capture();
    let backtrace = (backtrace.status() == BacktraceStatus::Captured).then(|| backtrace.to_string());
    tracing::error!(panic.message = message, panic.location = location, panic.backtrace = backtrace, "panicked");
}
