//! A number of bytes as operators write it: `"20GiB"`, `"512MB"`, or a plain number.

use serde::{Deserialize, Deserializer, de};

/// A number of bytes from the settings. `Option<ByteSize>` fields take `""` as "no limit" through [`ByteSize::optional`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSize(u64);

const UNITS: [(&str, u64); 9] = [
    ("B", 1),
    ("kB", 1_000),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
];

impl ByteSize {
    /// Wraps a number of bytes.
    pub const fn new(bytes: u64) -> Self {
        Self(bytes)
    }

    /// The number of bytes.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// For `#[serde(deserialize_with = "ByteSize::optional")]`: the empty text is no size at all.
    ///
    /// # Errors
    /// Anything that is neither empty nor a size.
    pub fn optional<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        match Raw::deserialize(deserializer)? {
            Raw::Text(text) if text.is_empty() => Ok(None),
            raw @ (Raw::Bytes(_) | Raw::Text(_)) => Self::try_from(raw).map(Some).map_err(de::Error::custom),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(end);
        let number: u64 = number.parse().ok()?;
        let unit = if unit.is_empty() { "B" } else { unit.trim() };
        let (_, bytes) = UNITS.into_iter().find(|(name, _)| *name == unit)?;
        number.checked_mul(bytes).map(Self)
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Raw {
    Bytes(u64),
    Text(String),
}

impl TryFrom<Raw> for ByteSize {
    type Error = String;

    fn try_from(raw: Raw) -> Result<Self, String> {
        match raw {
            Raw::Bytes(bytes) => Ok(Self(bytes)),
            Raw::Text(text) => Self::parse(&text)
                .ok_or_else(|| format!("expected a size such as \"20GiB\" or \"512MB\", not {text:?}")),
        }
    }
}

impl<'de> Deserialize<'de> for ByteSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::try_from(Raw::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        for (text, bytes) in [("20GiB", 20 << 30), ("512MB", 512_000_000), ("1 KiB", 1024), ("7", 7)] {
            assert_eq!(ByteSize::parse(text), Some(ByteSize(bytes)), "{text}");
        }
        for text in ["", "GiB", "1.5GB", "-1", "99999999TiB"] {
            assert_eq!(ByteSize::parse(text), None, "{text:?}");
        }
    }
}
