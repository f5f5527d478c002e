//! End-to-end tests: HTTP in, HTTP out, through the real binaries, on a real Redis, a real Podman and a fixture upstream.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod admission;
mod all_in_one;
mod bad_input;
mod browser;
mod builds;
mod cache;
mod clients;
mod contract;
mod degraded;
mod distributions;
mod documents;
mod failures;
mod log;
mod openapi;
mod operations;
mod operator;
mod pages;
mod provenance;
mod recovery;
mod registry;
mod repositories;
mod retention;
mod s3;
mod schemathesis;
mod self_made;
mod signing;
mod snapshots;
mod statistics;
mod store;
