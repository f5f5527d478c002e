//! The token of one attempt at a build.

use std::fmt;

/// 128 random bits, new for each take: it fences off workers that were taken for dead, and names the version of a
/// finished record. Random rather than counted, so that not even a FLUSHALL can bring an old one back.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttemptId(String);

impl AttemptId {
    pub(crate) fn random() -> Self {
        Self(format!("{:032x}", rand::random::<u128>()))
    }

    pub(crate) fn from_redis(text: String) -> Self {
        Self(text)
    }

    /// 32 hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AttemptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
