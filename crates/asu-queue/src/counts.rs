//! The queue in numbers.

use std::time::Duration;

/// How many builds and workers there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Builds that wait: in line, or put off by trouble of the surroundings. What `max_pending_jobs` bounds.
    pub pending: u64,
    /// Those of them that are put off.
    pub delayed: u64,
    /// Builds that a worker holds.
    pub running: u64,
    /// Workers that announced themselves lately, busy and paused ones too.
    pub workers: u64,
    /// How long the build at the head of the line waits; grows when nobody takes builds.
    pub oldest_pending: Option<Duration>,
    /// How many builds those workers run at the same time.
    pub slots: u64,
    /// How long the latest builds took on average; `None` if none ended lately.
    pub mean_build: Option<Duration>,
}
