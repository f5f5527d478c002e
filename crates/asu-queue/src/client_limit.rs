//! What one client may have of the queue.

use std::fmt;

/// A limit of each client, with its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientLimit {
    /// `client_pending_jobs`: builds that wait at the same time.
    PendingJobs(u64),
    /// `client_builds_per_hour`: new builds in any hour.
    BuildsPerHour(u64),
}

impl fmt::Display for ClientLimit {
    /// The name of the setting and its value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PendingJobs(most) => write!(f, "client_pending_jobs = {most}"),
            Self::BuildsPerHour(most) => write!(f, "client_builds_per_hour = {most}"),
        }
    }
}
