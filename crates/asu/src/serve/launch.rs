//! The life of the all-in-one server, from its settings to its end: Redis comes first and goes last.

use std::{path, process::ExitCode, time::Duration};

use anyhow::Context;
use asu_config::Settings;
use asu_queue::Queue;
use asu_service::{Flags, Shutdown, bind, init_telemetry, load_settings, raise_file_limit, shutdown_on_signal};
use tokio::runtime::Runtime;

use crate::{
    output::Output,
    serve::{
        Config, SERVICE,
        config::{ServeConfig, wants_private_redis},
        private_redis::{PrivateRedis, redis_url},
        run::run,
    },
};

/// What blocking work may take to end after everything else has.
const LAST_GRACE: Duration = Duration::from_secs(1);
/// The longest that a healthcheck waits for each step.
const HEALTHCHECK_TIMEOUT: Duration = Duration::from_secs(5);

/// `asu serve`: until SIGTERM or SIGINT.
pub(crate) fn serve(flags: &Flags) -> ExitCode {
    end(serve_until_signal(flags))
}

/// `asu healthcheck`: asks the server that listens with these settings.
pub(crate) fn healthcheck(flags: &Flags, ready: bool) -> ExitCode {
    let path = if ready { "/ready" } else { "/health" };
    let ask = || {
        let config = asu_service::Config::load(&load_settings(flags)?)?;
        Ok(asu_service::healthcheck(&config.address(&SERVICE), path, HEALTHCHECK_TIMEOUT)?)
    };
    end(ask())
}

fn serve_until_signal(flags: &Flags) -> anyhow::Result<()> {
    let (settings, redis_directory) = private_settings(load_settings(flags)?)?;
    let config = Config::load(&settings)?;
    init_telemetry(&config.build.service)?;
    for warning in settings.warnings() {
        tracing::warn!("{warning}");
    }
    raise_file_limit();
    let runtime = Runtime::new()?;
    let outcome = runtime.block_on(serve_with(&config, redis_directory.as_deref()));
    runtime.shutdown_timeout(LAST_GRACE);
    outcome
}

/// If nobody named a Redis: the settings that name our own, and the directory of its data.
///
/// # Errors
/// A setting that does not fit.
pub(crate) fn private_settings(settings: Settings) -> anyhow::Result<(Settings, Option<path::PathBuf>)> {
    if !wants_private_redis(&settings) {
        return Ok((settings, None));
    }
    let config: ServeConfig = settings.section()?;
    let directory = path::absolute(config.redis_directory()).context("there is no working directory")?;
    let url = redis_url(&directory).context("the data of Redis needs an absolute path")?;
    Ok((settings.with("redis_url", url), Some(directory)))
}

async fn serve_with(config: &Config, redis_directory: Option<&path::Path>) -> anyhow::Result<()> {
    let shutdown = Shutdown::new();
    shutdown_on_signal(&shutdown)?;
    // A taken port is noticed before anything is started.
    let listener = bind(&SERVICE, &config.build.service).await?;
    let redis = match redis_directory {
        Some(directory) => Some(PrivateRedis::start(directory, &Queue::connect(&config.build.queue)?).await?),
        None => None,
    };
    let outcome = run(config, listener, shutdown.clone()).await;
    shutdown.begin();
    let left = shutdown.finish(config.build.service.shutdown_grace.get()).await;
    if !left.is_empty() {
        tracing::warn!(left = left.join(", "), "stopped before everything had ended");
    }
    if let Some(redis) = redis {
        redis.stop().await;
    }
    tracing::info!("stopped");
    outcome
}

/// On stderr whatever the log's format: a person or a supervisor reads why the process did not start.
fn end(outcome: anyhow::Result<()>) -> ExitCode {
    let Err(error) = outcome else { return ExitCode::SUCCESS };
    Output::new(false, false).error(&format!("asu: {error:#}"));
    ExitCode::FAILURE
}
