//! A point in time on Redis's clock.

use std::time::Duration;

/// Milliseconds since 1970 on the clock of the Redis server, the only clock that the queue goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnixMillis(u64);

impl UnixMillis {
    /// So many milliseconds since 1970.
    pub fn new(millis: u64) -> Self {
        Self(millis)
    }

    /// The number of milliseconds.
    pub fn get(self) -> u64 {
        self.0
    }

    /// The time from `earlier` to this, nothing if it is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}
