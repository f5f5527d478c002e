//! The all-in-one server for one machine, and the command-line client.
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may panic"))]

mod admin;
mod cli;
mod client;
mod doctor;
mod exit;
mod output;
mod serve;

pub use cli::main;
