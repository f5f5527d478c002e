//! The store in a bucket, on a real S3 server that a test can spoil.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod bucket;
mod faults;
mod publishing;
mod serving;
mod tidying;
