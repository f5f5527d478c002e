//! The prepare service: validates a request, resolves its packages and says what it changed and why.
//!
//! Stateless: it holds upstream's metadata in memory and nothing else, so that any number of it can run side by side.
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may panic"))]

mod answer;
mod config;
mod metrics;
mod prepare;
mod run;

pub use config::Config;
pub use metrics::PrepareMetrics;
pub use prepare::{Prepare, routes};
pub use run::{SERVICE, run};
