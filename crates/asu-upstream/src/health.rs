//! How upstream is doing, for readiness and metrics.

use std::time::Duration;

/// How upstream and the files from it are doing at this moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpstreamHealth {
    /// True once the list of versions was read; from then on there is something to answer from, however old.
    pub ready: bool,
    /// How long ago upstream last gave a file or said that one is unchanged.
    pub last_success: Option<Duration>,
    /// How many files are held.
    pub files: usize,
    /// How many files could not be fetched or read when it was last tried.
    pub failing_files: usize,
    /// The age of the oldest copy that is served because its file fails.
    pub oldest_stale: Option<Duration>,
    /// Why the file that failed last did so, with all causes, for the log and the operator.
    pub last_error: Option<String>,
    /// What became of all fetches so far.
    pub fetches: FetchCounts,
}

/// Numbers of fetches by what became of them, since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FetchCounts {
    /// Brought a new content.
    pub new: u64,
    /// Upstream said that nothing changed.
    pub unchanged: u64,
    /// Upstream has no such file.
    pub missing: u64,
    /// Anything else.
    pub failed: u64,
}
