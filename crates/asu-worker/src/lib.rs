//! The worker: takes builds from the queue, runs the ImageBuilder in Podman and stores the images.
//!
//! - [`Worker`] takes claims through apalis while nothing pauses it (`pause.rs`, `watch.rs`);
//! - `attempt.rs` is one claim: what became of the build is told to the queue, the request's faults to be stored, our
//!   own troubles to be tried again;
//! - `build.rs` is the order of the stages, each of which is a file of `stages/`;
//! - `leftovers.rs` removes what dead workers left.
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may panic"))]

mod attempt;
mod build;
mod cache_url;
mod commands;
mod config;
mod container_limits;
mod description;
mod detour;
#[cfg(test)]
mod fixture;
mod full_disk;
mod image_name;
mod images;
mod injected_files;
mod labels;
mod leftovers;
mod log_tail;
mod machine;
mod make;
mod metrics;
mod origin;
mod package_list;
mod pause;
mod prepared;
mod pruning;
mod repositories;
mod run;
mod self_made;
mod signing;
mod snapshot;
mod snapshots;
mod source_trouble;
mod stage_clock;
mod stages;
mod stop;
mod sweeping;
mod upstream;
mod wanted_image;
mod watch;
mod worker;
mod worker_identity;
mod workshop;

pub use config::{Config, WorkerConfig};
pub use run::{SERVICE, run};
pub use worker::{Worker, WorkerError};
