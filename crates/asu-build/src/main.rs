//! Starts the build service.

use std::process::ExitCode;

use asu_build::{Config, SERVICE, run};

fn main() -> ExitCode {
    asu_service::launch(&SERVICE, Config::load, run)
}
