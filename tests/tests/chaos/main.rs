//! Real processes, a crowd of clients, and everything that can break, broken: no build is lost, doubled or stuck.
//!
//! A run is decided by `ASU_CHAOS_SEED` and lasts `ASU_CHAOS_SECONDS` and what is needed to come to rest. What was seen from
//! outside goes to a checker of pure functions, which has tests of its own on histories that were made up.
//!
//! Servers that were broken on purpose, and what the checker said of them:
//! - No fencing: `finish.lua` without its look at the token, and workers that overhear `lost`. Seed 3, 40 s,
//!   `ASU_CHAOS_ONLY=SIGSTOP`: "doubled: … was ended by workers at [37721, 36865]", "not fenced: images of an attempt that did not
//!   hold the build", "two at work on one build", 10 broken promises.
//! - No rename before publishing: images unpacked into the directory of their final name. Seed 1, 40 s: "seen before it was
//!   whole", 25 times of 25 builds.
//! - No return of leases: `take.lua` without `reap`. Seed 1, 40 s: "lost or stuck: accepted, and no outcome", "builds still wait
//!   or run", "a container is left", "a key is left that never goes: {asu}:running", "a build without an end".
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may panic and tells what it measured")]
#![allow(clippy::wildcard_enum_match_arm, reason = "most faults are alike")]

mod actor;
mod alerts;
mod checker;
mod client;
mod clock;
mod collect;
mod disk;
mod faults;
mod figures;
mod history;
mod nginx;
mod observer;
mod overload;
mod plan;
mod ports;
mod resp;
mod run;
mod scene;
mod wire;

use tokio::sync::{Mutex, MutexGuard};

use crate::{plan::Plan, scene::MOST_PENDING};

/// Each of the large tests wants the machine for itself.
async fn alone() -> MutexGuard<'static, ()> {
    static MACHINE: Mutex<()> = Mutex::const_new(());
    MACHINE.lock().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_build_is_lost_doubled_or_stuck_whatever_breaks() {
    let _alone = alone().await;
    let plan = Plan::from_environment();
    let history = run::run(&plan).await;
    let violations = checker::check(&history, MOST_PENDING);
    figures::print(&plan, &history, &violations);
    let found: Vec<_> = violations.iter().flat_map(|(_, found)| found).collect();
    let told: Vec<String> = found.iter().take(8).map(|violation| violation.chars().take(600).collect()).collect();
    assert!(found.is_empty(), "seed {}: {} broken promises, such as {told:#?}", plan.seed, found.len());
}
