//! The client as its users see it: the real binary against a server that behaves as we tell it.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod build;
mod download;
mod endings;
mod fake_server;
mod images;
mod prepare;
mod run;
mod terminal;
