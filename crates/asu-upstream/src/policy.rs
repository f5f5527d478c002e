//! When a file is asked for again.

use std::time::Duration;

use rand::RngExt;

use crate::config::Config;

/// The first pause after a failed fetch; it doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// A copy older than this many times its time to live is worth waiting for a newer one.
const OUTDATED: u32 = 2;

/// The times of the settings that decide when a file is asked for again.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Policy {
    pub(crate) ttl: Duration,
    pub(crate) negative_ttl: Duration,
    pub(crate) patience: Duration,
}

impl Policy {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            ttl: config.upstream_ttl.get(),
            negative_ttl: config.upstream_negative_ttl.get(),
            patience: config.upstream_patience.get(),
        }
    }

    /// True for a copy that a reader should not be given without waiting a little for a newer one.
    pub(crate) fn is_outdated(&self, age: Duration) -> bool {
        age > self.ttl * OUTDATED
    }

    /// How long a file that failed and was never held is remembered as failing.
    pub(crate) fn memory_of_failures(&self) -> Duration {
        self.negative_ttl * 2
    }

    /// 1 s, 2 s, 4 s … up to the negative time to live.
    pub(crate) fn pause_after(&self, failures: u32) -> Duration {
        FIRST_PAUSE.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(self.negative_ttl)
    }

    /// Files that were fetched together are not all asked for again at the same moment.
    pub(crate) fn jittered(pause: Duration) -> Duration {
        pause.mul_f64(rand::rng().random_range(0.9..1.1))
    }
}
