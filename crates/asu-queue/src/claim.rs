//! A build that a worker took.

use asu_core::RequestHash;

use crate::{Lease, QueuedBuild, UnixMillis};

/// One build, and the right to build it.
#[derive(Debug)]
pub struct Claim {
    /// The name of the build.
    pub request_hash: RequestHash,
    /// What to build.
    pub build: QueuedBuild,
    /// When it was asked for.
    pub enqueued_at: UnixMillis,
    /// The right to build it, and the way to say how it went.
    pub lease: Lease,
}
