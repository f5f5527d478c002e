//! The worker on a real Redis, a real Podman and miniature ImageBuilders.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod bench;
mod failures;
mod leftovers;
mod lifecycle;
mod limits;
mod logs;
mod parallel;
mod podman_door;
mod releases;
mod repositories;
mod self_made;
mod signing;
mod snapshots;
mod surroundings;
