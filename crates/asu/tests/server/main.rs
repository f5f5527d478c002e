//! The all-in-one server and the doctor as their users see them: the real binary, on real Redis and real Podman.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod admin;
mod doctor;
mod process;
mod serve;
