//! The all-in-one server: prepare, build and worker in one process, and a Redis of its own if nobody named one.

mod config;
mod error;
mod launch;
mod private_redis;
mod redis_program;
mod run;
mod stale_redis;
mod supervisor;

pub(crate) use config::Config;
pub(crate) use launch::{healthcheck, private_settings, serve};
pub(crate) use redis_program::RedisProgram;

use asu_service::Service;

/// What this process is called.
pub(crate) const SERVICE: Service = Service {
    name: "asu",
    version: env!("CARGO_PKG_VERSION"),
    about: env!("CARGO_PKG_DESCRIPTION"),
    listen: "0.0.0.0:8000",
};
