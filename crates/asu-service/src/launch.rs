//! The life of a process from its command line to its exit status: a binary's `main` is one call of [`launch`].

use std::{error::Error, io::Write, process::ExitCode, time::Duration};

use asu_config::{Settings, SettingsError};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::{net::TcpListener, runtime::Runtime};

use crate::{
    cli::{Cli, Command, load_settings},
    config::Config,
    error_chain::error_chain,
    healthcheck::healthcheck,
    server::bind,
    service::Service,
    shutdown::Shutdown,
    signals::shutdown_on_signal,
    telemetry::init_telemetry,
};

type BoxError = Box<dyn Error + Send + Sync>;

/// The longest that a healthcheck waits for each step.
const HEALTHCHECK_TIMEOUT: Duration = Duration::from_secs(5);

/// What blocking work may take to end after everything else has.
const LAST_GRACE: Duration = Duration::from_secs(1);

/// Parses the command line, loads the settings, sets up logging, binds, and runs the service until a signal.
///
/// `configure` makes the service's own configuration and refuses contradictions; `run` serves until the shutdown.
pub fn launch<C, E, Fut>(
    service: &Service,
    configure: impl FnOnce(&Settings) -> Result<C, SettingsError>,
    run: impl FnOnce(C, TcpListener, Shutdown) -> Fut,
) -> ExitCode
where
    E: Into<BoxError>,
    Fut: Future<Output = Result<(), E>>,
{
    let cli = Cli::parse_for(service);
    let outcome = match cli.command {
        Some(Command::Healthcheck { ready }) => probe(service, &cli, ready),
        None => serve_until_signal(service, &cli, configure, run),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(service, error.as_ref()),
    }
}

fn probe(service: &Service, cli: &Cli, ready: bool) -> Result<(), BoxError> {
    let config = Config::load(&load_settings(&cli.flags)?)?;
    let path = if ready { "/ready" } else { "/health" };
    Ok(healthcheck(&config.address(service), path, HEALTHCHECK_TIMEOUT)?)
}

fn serve_until_signal<C, E, Fut>(
    service: &Service,
    cli: &Cli,
    configure: impl FnOnce(&Settings) -> Result<C, SettingsError>,
    run: impl FnOnce(C, TcpListener, Shutdown) -> Fut,
) -> Result<(), BoxError>
where
    E: Into<BoxError>,
    Fut: Future<Output = Result<(), E>>,
{
    let settings = load_settings(&cli.flags)?;
    let edge = Config::load(&settings)?;
    let config = configure(&settings)?;
    init_telemetry(&edge)?;
    for warning in settings.warnings() {
        tracing::warn!("{warning}");
    }
    raise_file_limit();
    let runtime = Runtime::new()?;
    let outcome = runtime.block_on(async {
        let shutdown = Shutdown::new();
        shutdown_on_signal(&shutdown)?;
        let listener = bind(service, &edge).await?;
        let outcome = run(config, listener, shutdown.clone()).await.map_err(Into::into);
        end(&shutdown, &edge).await;
        outcome
    });
    runtime.shutdown_timeout(LAST_GRACE);
    outcome
}

/// Raises the limit of open files up to what the system allows: the usual 1024 is less than `max_connections`.
pub fn raise_file_limit() {
    let limit = getrlimit(Resource::Nofile);
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }) {
        tracing::debug!(%error, "cannot raise the limit of open files");
    }
}

/// A service that ended by itself takes its tasks with it.
async fn end(shutdown: &Shutdown, config: &Config) {
    shutdown.begin();
    let left = shutdown.finish(config.shutdown_grace.get()).await;
    if left.is_empty() {
        tracing::info!("stopped");
    } else {
        tracing::warn!(left = left.join(", "), "stopped before everything had ended");
    }
}

/// On stderr whatever the log's format: a person or a supervisor reads why the process did not start.
fn fail(service: &Service, error: &(dyn Error + 'static)) -> ExitCode {
    // If stderr is gone there is nobody left to tell.
    let _ = writeln!(std::io::stderr(), "{}: {}", service.name, error_chain(error));
    ExitCode::FAILURE
}
