//! The settings of the queue.

use std::time::Duration;

use asu_config::{ByteSize, DurationSetting, Secret};
use asu_core::BuildOutcome;
use serde::Deserialize;

use crate::{Retention, live_log::LARGEST_ENTRY};

/// Settings of the queue; the fields are the keys.
#[derive(Debug, Clone, Deserialize)]
pub struct Config {
    /// `redis://` or `redis+unix://`.
    pub redis_url: Secret,
    /// What every key begins with.
    pub redis_prefix: String,
    /// The longest that one command may take, connecting included.
    pub redis_timeout: DurationSetting,
    /// The most builds that wait.
    pub max_pending_jobs: u64,
    /// The most builds of one client that wait; 0 for any number.
    ///
    /// It may exceed `max_pending_jobs`, and then limits nothing: an operator who only makes the line shorter than the
    /// default of this setting must not be refused.
    pub client_pending_jobs: u64,
    /// The most new builds of one client in any hour; 0 for any number.
    pub client_builds_per_hour: u64,
    /// A worker that was not heard of for this long is lost.
    pub lease: DurationSetting,
    /// How often a build may end its worker before it is given up.
    pub max_attempts: u32,
    /// How often an idle worker looks for builds although nothing woke it.
    pub poll_interval: DurationSetting,
    /// How long a worker tries to report a result while Redis is away.
    pub report_timeout: DurationSetting,
    /// The delay of a build after the first trouble of the surroundings; doubles with each further one.
    pub retry_delay: DurationSetting,
    /// The longest such delay.
    pub retry_delay_max: DurationSetting,
    /// The longest that a build is retried because of trouble of the surroundings.
    pub retry_for: DurationSetting,
    /// Whether requests and builds are counted for the statistics.
    pub server_stats: bool,
    /// How long the result of a request with pinned package versions is kept.
    pub build_ttl: DurationSetting,
    /// How long the result of a request without is kept.
    pub build_ttl_unversioned: DurationSetting,
    /// How long the result of a request with a first-boot script is kept.
    pub build_defaults_ttl: DurationSetting,
    /// How long a failure that is the request's own fault is kept.
    pub build_failure_ttl: DurationSetting,
    /// How long a build is remembered that an operator cancelled.
    pub build_cancelled_ttl: DurationSetting,
    /// The most bytes that are kept of what a build prints while it runs.
    pub max_live_log_size: ByteSize,
    /// The most entries of it, each of which has some lines.
    pub max_live_log_entries: u64,
    /// How often what was printed is sent.
    pub live_log_interval: DurationSetting,
    /// How long it is kept after the last line.
    pub live_log_ttl: DurationSetting,
}

/// Settings that contradict each other, or leave nothing to work with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(String);

impl Config {
    /// Checks what the settings say together.
    ///
    /// # Errors
    /// A sentence that names the settings which contradict each other.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let rules = [
            (!self.redis_url.is_empty(), "redis_url must not be empty"),
            (self.max_pending_jobs > 0, "max_pending_jobs must be at least 1"),
            (self.max_attempts > 0, "max_attempts must be at least 1"),
            (!self.redis_timeout.get().is_zero(), "redis_timeout must be longer than nothing"),
            (!self.poll_interval.get().is_zero(), "poll_interval must be longer than nothing"),
            (
                self.lease.get() >= self.redis_timeout.get() * 3,
                "lease must be at least three times redis_timeout, or one slow answer of Redis loses a running build",
            ),
            (!self.retry_delay.get().is_zero(), "retry_delay must be longer than nothing"),
            (self.retry_delay_max >= self.retry_delay, "retry_delay_max must not be shorter than retry_delay"),
            (self.retry_for >= self.retry_delay_max, "retry_for must not be shorter than retry_delay_max"),
            (
                self.report_timeout >= self.lease,
                "report_timeout must not be shorter than lease, or a short absence of Redis loses a finished build",
            ),
            (self.max_live_log_size.get() >= 2 * LARGEST_ENTRY as u64, "max_live_log_size must be at least 16KiB"),
            (self.max_live_log_entries > 0, "max_live_log_entries must be at least 1"),
            (!self.live_log_interval.get().is_zero(), "live_log_interval must be longer than nothing"),
            (
                self.live_log_ttl >= self.live_log_interval,
                "live_log_ttl must not be shorter than live_log_interval, or the log expires before it is written on",
            ),
        ];
        let ttls = [
            ("build_ttl", self.build_ttl),
            ("build_ttl_unversioned", self.build_ttl_unversioned),
            ("build_defaults_ttl", self.build_defaults_ttl),
            ("build_failure_ttl", self.build_failure_ttl),
            ("build_cancelled_ttl", self.build_cancelled_ttl),
        ];
        if let Some((_, rule)) = rules.into_iter().find(|(kept, _)| !kept) {
            return Err(ConfigError(rule.to_owned()));
        }
        if let Some((name, _)) = ttls.into_iter().find(|(_, ttl)| ttl.get().is_zero()) {
            return Err(ConfigError(format!("{name} must be longer than nothing")));
        }
        Ok(())
    }

    /// How long a finished build is remembered.
    pub fn ttl(&self, retention: Retention, outcome: &BuildOutcome) -> Duration {
        let setting = match (outcome, retention) {
            (BuildOutcome::Failed(_), _) => self.build_failure_ttl,
            (BuildOutcome::Done(_), Retention::WithDefaults) => self.build_defaults_ttl,
            (BuildOutcome::Done(_), Retention::Pinned) => self.build_ttl,
            (BuildOutcome::Done(_), Retention::Unpinned) => self.build_ttl_unversioned,
        };
        setting.get()
    }

    /// How long a build is put off that was put off `postponed` times before.
    pub(crate) fn delay(&self, postponed: u32) -> Duration {
        self.retry_delay.get().saturating_mul(2_u32.saturating_pow(postponed)).min(self.retry_delay_max.get())
    }
}

#[cfg(test)]
mod tests {
    use asu_config::Settings;
    use asu_core::{BuildFailure, BuildLog, BuildResult, FailedBuild, Oversize};

    use super::*;

    fn with(changes: &[(&str, &str)]) -> Config {
        let settings = changes.iter().fold(Settings::defaults(), |settings, (key, value)| settings.with(key, *value));
        settings.section().unwrap()
    }

    #[test]
    fn the_defaults_are_valid() {
        let config = with(&[]);
        config.validate().unwrap();
        assert_eq!(config.redis_prefix, "{asu}:");
        assert_eq!((config.lease.get(), config.max_attempts), (Duration::from_secs(10), 3));
    }

    #[test]
    fn contradictions_name_both_settings() {
        for (changes, names) in [
            ([("lease", "5s"), ("redis_timeout", "2s")], ["lease", "redis_timeout"]),
            ([("retry_delay", "1h"), ("retry_delay_max", "10s")], ["retry_delay_max", "retry_delay"]),
            ([("retry_for", "10s"), ("retry_delay_max", "1m")], ["retry_for", "retry_delay_max"]),
            ([("report_timeout", "5s"), ("lease", "10s")], ["report_timeout", "lease"]),
            ([("live_log_ttl", "1s"), ("live_log_interval", "2s")], ["live_log_ttl", "live_log_interval"]),
        ] {
            let error = with(&changes).validate().unwrap_err().to_string();
            assert!(names.iter().all(|name| error.contains(name)), "{error}");
        }
        let error = with(&[("build_ttl", "0s")]).validate().unwrap_err();
        assert_eq!(error.to_string(), "build_ttl must be longer than nothing");
    }

    #[test]
    fn a_result_is_kept_for_as_long_as_its_request_allows() {
        let done = BuildOutcome::Done(Box::new(BuildResult {
            id: String::new(),
            bin_dir: String::new(),
            build_at: String::new(),
            build_cmd: Vec::new(),
            build_cmd_packages: Vec::new(),
            manifest: Default::default(),
            provenance: None,
            sbom: None,
            log: BuildLog::default(),
            metadata: Default::default(),
        }));
        let failed = BuildOutcome::Failed(Box::new(FailedBuild {
            failure: BuildFailure::TooBig(Oversize::default()),
            build_cmd: Vec::new(),
            log: BuildLog::default(),
        }));
        let config = with(&[]);
        for (retention, hours) in
            [(Retention::WithDefaults, 0.5), (Retention::Pinned, 7.0 * 24.0), (Retention::Unpinned, 24.0)]
        {
            assert_eq!(config.ttl(retention, &done).as_secs_f64(), hours * 3600.0, "{retention:?}");
            assert_eq!(config.ttl(retention, &failed), Duration::from_secs(3600), "{retention:?}");
        }
    }

    #[test]
    fn the_delay_doubles_up_to_its_limit() {
        let config = with(&[("retry_delay", "10s"), ("retry_delay_max", "5m")]);
        let delays: Vec<_> = [0, 1, 4, 5, 31, u32::MAX].map(|n| config.delay(n).as_secs()).into();
        assert_eq!(delays, [10, 20, 160, 300, 300, 300]);
    }
}
