//! Security tests: each line of these tables is an attack with the answer that it must get, tried through HTTP on the real
//! processes, a real Redis, a real Podman and a fixture upstream. SECURITY.md says which promise each file holds.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod bombs;
#[path = "../e2e/browser.rs"]
#[allow(dead_code, reason = "the tests of the pages use more of it")]
mod browser;
mod commands;
mod described;
mod door;
mod fields;
mod hashes;
mod headers;
mod hostile;
mod json;
mod network;
mod nginx;
mod pages;
mod paths;
mod repositories;
mod smuggling;
mod unpacked;
