//! The build queue in Redis: every key, every script, and the apalis backend that workers take builds from.
//!
//! The record of a build *is* the queue's entry: one hash per request, and three sorted sets that say where each build
//! is that is not finished yet. Every move is one Lua script, so there is no state between two moves. Whoever works on
//! a build holds a fresh random token and a lease on Redis's own clock; without the token nothing can be changed.
//!
//! - the API enqueues and asks: [`Queue::enqueue`], [`Queue::status`], [`Queue::outcome`], [`Queue::forget`],
//!   [`Queue::log`];
//! - a worker takes: [`Queue::builds`] gives a [`BuildSource`] that yields [`Claim`]s, each with its [`Lease`], whose [`LiveLog`]
//!   is what others read while the build runs;
//! - an operator looks and steps in: [`Queue::records`], [`Queue::workers`], [`Queue::cancel`], [`Queue::retry`],
//!   [`Queue::set_drained`]; whoever tidies up the store asks [`Queue::stored`] and [`Queue::stored_states`].
//!
//! Builds are counted by the scripts that move them, in the branch where a state really changes and so exactly once;
//! [`Queue::statistics`] tells the numbers.
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may panic"))]

mod attempt_id;
mod attempts;
mod build_record;
mod build_source;
mod cancelling;
mod claim;
mod client_key;
mod client_label;
mod client_limit;
mod config;
mod connection;
mod counts;
mod error;
mod failure_note;
mod finished_build;
mod gate;
mod heartbeat;
mod image_uses;
mod keys;
mod lease;
mod lease_answers;
mod live_log;
mod log_carrier;
mod log_view;
mod presence;
mod queue;
mod queued_build;
mod repeating;
mod reply;
mod retention;
mod scripts;
mod server_facts;
mod statistics;
mod status;
mod stored_builds;
mod sweep_turn;
mod taker;
mod tenure;
mod unix_millis;
mod wake;
mod worker_name;
mod workers;

pub use attempt_id::AttemptId;
pub use build_record::BuildRecord;
pub use build_source::BuildSource;
pub use cancelling::Cancelled;
pub use claim::Claim;
pub use client_key::ClientKey;
pub use client_label::ClientLabel;
pub use client_limit::ClientLimit;
pub use config::{Config, ConfigError};
pub use counts::Counts;
pub use error::{NoAnswer, QueueError};
pub use failure_note::FailureNote;
pub use finished_build::FinishedBuild;
pub use gate::{Gate, Hold};
pub use lease::Lease;
pub use lease_answers::{Finished, LeaseError, Postponed, Released};
pub use live_log::{LiveLog, LogLines};
pub use log_view::{LogContent, LogEntry, LogState, LogView};
pub use queue::Queue;
pub use queued_build::{QueuedBuild, UnreadableBuild};
pub use repeating::Retried;
pub use retention::Retention;
pub use server_facts::ServerFacts;
pub use statistics::{DayCounts, PackageCount, Statistics, WeeklyBuilds};
pub use status::{BuildStatus, Enqueued, FinalState};
pub use stored_builds::StoredState;
pub use sweep_turn::SweepTurn;
pub use unix_millis::UnixMillis;
pub use worker_name::{InvalidWorkerName, WorkerName};
pub use workers::LiveWorker;
