//! Names of files that a server gives us: one plain segment each, or nothing.

use std::fmt;

use serde::Serialize;

use crate::client::error::ClientError;

/// A name that stays in the directory it is put into.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct ImageName(String);

/// File systems allow 255 bytes, and `.part` comes behind it.
const LONGEST_NAME: usize = 250;

impl ImageName {
    /// Checks a name: letters, digits and `._+-~,@=`, no dot or minus at its start.
    pub(crate) fn parse(text: &str) -> Result<Self, ClientError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || "._+-~,@=".contains(c);
        let fits = text.len() <= LONGEST_NAME && text.chars().all(plain) && !text.starts_with(['.', '-']);
        if fits && !text.is_empty() { Ok(Self(text.to_owned())) } else { Err(ClientError::FileName(text.to_owned())) }
    }

    /// The name.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The directory of a build in the store; of several segments with old servers.
    pub(crate) fn parse_path(text: &str) -> Result<Vec<Self>, ClientError> {
        text.split('/').map(Self::parse).collect()
    }
}

impl fmt::Display for ImageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_images_are_taken() {
        for name in ["openwrt-24.10.4-x86-64-generic-ext4-combined.img.gz", "a", "sha256sums", "kernel+dtb_1~2.bin"] {
            assert_eq!(ImageName::parse(name).unwrap().as_str(), name);
        }
        assert_eq!(ImageName::parse_path("24.10.4/x86/64/ab12").unwrap().len(), 4);
    }

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        let long = "a".repeat(251);
        for name in
            ["", ".", "..", ".bashrc", "../x", "a/b", "/etc/passwd", "a\\b", "-rf", "a\0", "a\nb", "ä", "c:x", &long]
        {
            assert!(ImageName::parse(name).is_err(), "{name:?}");
        }
        for path in ["", "a//b", "../a", "a/..", "/a"] {
            assert!(ImageName::parse_path(path).is_err(), "{path:?}");
        }
    }
}
