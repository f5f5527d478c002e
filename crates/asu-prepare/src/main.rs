//! Starts the prepare service.

use std::process::ExitCode;

use asu_prepare::{Config, SERVICE, run};

fn main() -> ExitCode {
    asu_service::launch(&SERVICE, Config::load, run)
}
