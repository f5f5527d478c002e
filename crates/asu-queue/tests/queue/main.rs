//! The queue on a real Redis: everything that may go wrong between an API, a worker and the server.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may panic and may tell what it measured")]
#![allow(clippy::wildcard_enum_match_arm, reason = "whatever is not expected fails the test")]

mod admission;
mod attempts;
mod bench;
mod chaos;
mod enqueueing;
mod estimates;
mod leases;
mod live_logs;
mod outages;
mod records;
mod retries;
mod statistics;
mod stepping_in;
mod stored;
mod taking;
mod upgrades;
mod worker_process;
mod workers;
