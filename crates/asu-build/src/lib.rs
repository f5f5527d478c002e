//! The build service: the public API over the queue, the store and the metadata.
//!
//! It answers from Redis and the store alone. Who builds what it enqueues is the workers' business.
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may panic"))]

mod answer;
mod build;
mod charts;
mod config;
mod documents;
mod error;
mod finished_answers;
mod log;
mod metrics;
mod named_distro;
mod overview;
mod pages;
mod provenance;
mod query;
mod queue_metrics;
mod revision;
mod run;
mod server_url;
mod statistics;
mod stats;
mod status;
mod store_files;
mod submit;
mod turns;
mod version_documents;

pub use build::{Build, routes};
pub use config::Config;
pub use error::{BuildError, DocumentError, RevisionError};
pub use run::{SERVICE, run};
