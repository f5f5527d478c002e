//! Runs all checks and reports.

use asu_service::{Flags, error_chain, load_settings};
use clap::Args;
use futures::{FutureExt, future::join_all};
use serde_json::json;
use tokio::runtime::Builder;

use crate::{
    doctor::{
        bucket::check_bucket,
        deep::check_container,
        disk::check_disk,
        finding::{Finding, Level},
        podman::check_podman,
        redis::check_redis,
        registry::check_registry,
        settings::check_settings,
        upstream::check_upstream,
    },
    exit::Exit,
    output::Output,
    serve::{Config, private_settings},
};

/// Options of `asu doctor`.
#[derive(Debug, Args)]
pub(crate) struct DoctorOptions {
    #[command(flatten)]
    flags: Flags,
    /// Also pull an ImageBuilder and start a container of it, as a build does
    #[arg(long)]
    deep: bool,
    /// The image for --deep, instead of the ImageBuilder of the latest release for x86/64
    #[arg(long, value_name = "IMAGE", requires = "deep")]
    image: Option<String>,
    /// Write one JSON document
    #[arg(long)]
    json: bool,
}

/// `asu doctor`: 0 if nothing fails, 1 otherwise.
pub(crate) fn doctor(options: &DoctorOptions) -> Exit {
    let output = Output::new(options.json, false);
    let runtime = match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            output.error(&format!("asu: cannot start: {error}"));
            return Exit::Failed;
        }
    };
    let findings = runtime.block_on(examine(options));
    let fails = findings.iter().any(|finding| finding.level() == Level::Fail);
    if options.json {
        output.document(&json!({"ok": !fails, "findings": findings}).to_string());
    } else {
        findings.iter().for_each(|finding| finding.print(&output));
    }
    if fails { Exit::Failed } else { Exit::Done }
}

async fn examine(options: &DoctorOptions) -> Vec<Finding> {
    let settings = match load_settings(&options.flags) {
        Ok(settings) => settings,
        Err(error) => return vec![unusable(&error)],
    };
    let (settings, redis_directory) = match private_settings(settings) {
        Ok(both) => both,
        Err(error) => return vec![unusable(error.as_ref())],
    };
    let config = match Config::load(&settings) {
        Ok(config) => config,
        Err(error) => return vec![unusable(&error)],
    };
    let mut findings = check_settings(&settings);
    let checks = [
        check_disk(&config).boxed(),
        check_bucket(&config).boxed(),
        check_redis(&config, redis_directory).boxed(),
        check_podman(&config).boxed(),
        check_upstream(&config).boxed(),
        check_registry(&config).boxed(),
    ];
    findings.extend(join_all(checks).await.into_iter().flatten());
    if options.deep {
        findings.push(check_container(&config, options.image.as_deref()).await);
    }
    findings
}

fn unusable(error: &(dyn std::error::Error + 'static)) -> Finding {
    Finding::fail("settings", error_chain(error), "correct it; `asu serve --help` lists all settings")
}
