//! What the ways to end a lease answer.

use std::time::Duration;

use asu_core::RequestHash;

use crate::QueueError;

/// The lease cannot vouch for the build.
#[derive(Debug, thiserror::Error)]
pub enum LeaseError {
    /// The build belongs to somebody else, or is gone.
    #[error("build {0} belongs to somebody else now")]
    Lost(RequestHash),
    /// Redis did not answer for `report_timeout`.
    #[error("cannot tell whether build {request_hash} is still ours")]
    Unknown {
        /// The build.
        request_hash: RequestHash,
        /// What Redis did last.
        source: QueueError,
    },
}

/// What became of an outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finished {
    /// It is stored.
    Accepted,
    /// The build belongs to somebody else; what was built is to be thrown away.
    Superseded,
}

/// What became of a build that was given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Released {
    /// It is in its old place in line.
    InLine,
    /// It was not ours any more.
    NotOurs,
}

/// What became of a build that was put off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Postponed {
    /// It is tried again after this time.
    For(Duration),
    /// The trouble has lasted for longer than `retry_for`: the record is gone.
    Dropped,
    /// It was not ours any more.
    NotOurs,
}
