//! The settings of what is kept for how long.

use asu_config::{ByteSize, DurationSetting};
use serde::Deserialize;

/// When what is stored goes; the fields are named as the keys in `asu.example.toml`.
#[derive(Debug, Clone, Deserialize)]
pub struct Config {
    /// The most bytes that all images may have together; 0 for any number.
    pub store_max_size: ByteSize,
    /// So much of the disk stays free, and an eighth more.
    pub store_min_free: ByteSize,
    /// How often the store is looked through.
    pub sweep_interval: DurationSetting,
    /// Images that no record has or had go when they are so old.
    pub sweep_grace: DurationSetting,
}

impl Config {
    /// Checks what the settings say together; `report_timeout` is the queue's.
    ///
    /// # Errors
    /// A sentence that names the settings which contradict each other.
    pub fn validate(&self, report_timeout: DurationSetting) -> Result<(), &'static str> {
        if self.sweep_interval.get().is_zero() {
            return Err("sweep_interval must be longer than nothing");
        }
        if self.sweep_grace < report_timeout {
            return Err(
                "sweep_grace must not be shorter than report_timeout, or images that a worker is about to report \
                        are deleted",
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use asu_config::Settings;

    use super::*;

    fn validate(key: &str, value: &str) -> Result<(), &'static str> {
        #[derive(Deserialize)]
        struct Queue {
            report_timeout: DurationSetting,
        }
        let settings = Settings::defaults().with(key, value);
        settings.section::<Config>().unwrap().validate(settings.section::<Queue>().unwrap().report_timeout)
    }

    #[test]
    fn the_defaults_are_valid_and_contradictions_are_not() {
        validate("store_max_size", "1GiB").unwrap();
        for (key, value) in [("sweep_grace", "1m"), ("sweep_interval", "0s")] {
            assert!(validate(key, value).unwrap_err().contains(key));
        }
    }
}
