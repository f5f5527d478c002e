//! Figures of a whole deployment, as medians with their spread. `make bench` runs this with release binaries.
//!
//! `cargo bench --package asu-tests -- snapshots large_images` runs the parts that are named, in the order of [`PARTS`].
//! The load comes from `wrk` on the same machine, so every figure is what server and load make of its cores together.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark prints and may panic")]

mod builds;
mod cold_starts;
mod downloads;
mod figure;
mod large_images;
mod loads;
mod memory;
mod snapshots;

use asu_tests::Deployment;

/// What can be run alone.
const PARTS: [&str; 9] = [
    "cold_starts",
    "memory",
    "enqueue_to_start",
    "overhead",
    "loads",
    "downloads",
    "throughput",
    "snapshots",
    "large_images",
];

#[tokio::main]
async fn main() {
    // Cargo has options of its own for benchmarks.
    let chosen: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let unknown = chosen.iter().find(|part| !PARTS.contains(&part.as_str()));
    assert!(unknown.is_none(), "there is no part {}, only {}", unknown.unwrap(), PARTS.join(" "));
    let parts = PARTS.into_iter().filter(|part| chosen.is_empty() || chosen.iter().any(|name| name == part));
    let settings = [("client_builds_per_hour", "0"), ("client_pending_jobs", "0")];
    let mut deployment = Deployment::start_with(&settings).await;
    figure::head();
    for part in parts {
        run(part, &mut deployment).await;
    }
}

async fn run(part: &str, deployment: &mut Deployment) {
    match part {
        "cold_starts" => cold_starts::cold_starts(deployment),
        "memory" => memory::memory("idle", deployment),
        "enqueue_to_start" => builds::enqueue_to_start(deployment).await,
        "overhead" => builds::overhead(deployment).await,
        "loads" => {
            loads::loads(deployment).await;
            loads::documents(deployment);
            memory::memory("after load", deployment);
        }
        "downloads" => downloads::downloads(deployment),
        "throughput" => builds::throughput(deployment).await,
        "snapshots" => snapshots::snapshots().await,
        "large_images" => large_images::large_images(deployment).await,
        _ => unreachable!("only parts of the list are run"),
    }
}
