//! What is deleted when, on a real Redis and a store in a directory.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod bench;
mod checking;
mod planning;
mod sweeping;
