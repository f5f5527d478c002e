//! Starts the worker.

use std::process::ExitCode;

use asu_worker::{Config, SERVICE, run};

fn main() -> ExitCode {
    asu_service::launch(&SERVICE, Config::load, run)
}
