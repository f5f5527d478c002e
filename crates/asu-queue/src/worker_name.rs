//! The name under which a worker process is known.

use std::fmt;

/// 1 to 64 of `A-Za-z0-9._-`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WorkerName(String);

/// A text that cannot name a worker.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} cannot name a worker: expected 1 to 64 letters, digits, dots, underscores and hyphens")]
pub struct InvalidWorkerName(String);

impl WorkerName {
    /// Reads a name.
    ///
    /// # Errors
    /// A text that is empty, too long or holds other characters.
    pub fn parse(text: &str) -> Result<Self, InvalidWorkerName> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
        if (1..=64).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidWorkerName(text.to_owned()))
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for WorkerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_short_and_plain() {
        for (text, valid) in [("build-1.example_org", true), ("", false), ("a b", false), ("a\n", false), ("ä", false)]
        {
            assert_eq!(WorkerName::parse(text).is_ok(), valid, "{text:?}");
        }
        assert!(WorkerName::parse(&"x".repeat(64)).is_ok() && WorkerName::parse(&"x".repeat(65)).is_err());
    }
}
