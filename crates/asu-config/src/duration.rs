//! A length of time as operators write it: `"7d"`, `"24h"`, `"30m"`, `"45s"`, `"250ms"`, or a number of seconds.

use std::time::Duration;

use serde::{Deserialize, Deserializer, de};

/// A length of time from the settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct DurationSetting(Duration);

/// Milliseconds per unit.
const UNITS: [(&str, u64); 6] =
    [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000), ("w", 604_800_000)];

impl DurationSetting {
    /// Wraps a length of time.
    pub fn new(duration: Duration) -> Self {
        Self(duration)
    }

    /// The length of time.
    pub fn get(self) -> Duration {
        self.0
    }

    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(end);
        let number: u64 = number.parse().ok()?;
        let unit = if unit.is_empty() { "s" } else { unit.trim() };
        let (_, millis) = UNITS.into_iter().find(|(name, _)| *name == unit)?;
        Some(Self(Duration::from_millis(number.checked_mul(millis)?)))
    }
}

impl<'de> Deserialize<'de> for DurationSetting {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Raw {
            Seconds(u64),
            Text(String),
        }
        match Raw::deserialize(deserializer) {
            Ok(Raw::Seconds(seconds)) => Ok(Self(Duration::from_secs(seconds))),
            Ok(Raw::Text(text)) => Self::parse(&text).ok_or_else(|| {
                de::Error::custom(format!("expected a duration such as \"24h\" or \"45s\", not {text:?}"))
            }),
            Err(_) => Err(de::Error::custom("expected a duration such as \"24h\", or a number of seconds")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units() {
        for (text, seconds) in
            [("7d", 604_800), ("24h", 86_400), ("30m", 1_800), ("45s", 45), ("90", 90), ("2w", 1_209_600)]
        {
            assert_eq!(DurationSetting::parse(text), Some(DurationSetting(Duration::from_secs(seconds))), "{text}");
        }
        assert_eq!(DurationSetting::parse("250ms").unwrap().get(), Duration::from_millis(250));
        for text in ["", "h", "-1s", "1.5h", "1y", "99999999999999999999d", "1 h 3"] {
            assert_eq!(DurationSetting::parse(text), None, "{text:?}");
        }
    }
}
