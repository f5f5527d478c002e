//! From the bytes of a request to a resolved build request: the way that prepare and build share.
//!
//! Parse, check against the operator's settings, look up in upstream's metadata, apply the package rules, hash. Both
//! services answer a refusal with the same status and the same words because this crate renders it for both.
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may panic"))]

mod config;
mod error;
mod intake;
mod openapi;
mod upstream;
mod upstream_metrics;

pub use config::Config;
pub use error::{IntakeError, UPSTREAM_RETRY};
pub use intake::{AcceptedRequest, Intake, Rules};
pub use openapi::describe_requests;
pub use upstream::{keep_upstream_fresh, upstream_condition};
