//! The name of one file of a build.

use std::fmt;

/// The longest name that Linux filesystems take.
const MAX_LENGTH: usize = 255;

/// A flat name of letters, digits and `._+~,@=-` that does not begin with a dot: what ImageBuilder calls its images,
/// and nothing that means something to a path, a URL, a header or a terminal.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileName(String);

/// A text that names no file of a build.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a file's name has 1 to 255 letters, digits and ._+~,@=-, and no dot in front")]
pub struct InvalidFileName;

impl FileName {
    /// Reads a name that came from outside.
    ///
    /// # Errors
    /// Anything that is not such a name.
    pub fn parse(text: &str) -> Result<Self, InvalidFileName> {
        let valid = (1..=MAX_LENGTH).contains(&text.len()) && !text.starts_with('.') && text.bytes().all(is_harmless);
        if valid { Ok(Self(text.to_owned())) } else { Err(InvalidFileName) }
    }

    /// The name itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_harmless(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"._+~,@=-".contains(&byte)
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_imagebuilder_gives_are_taken() {
        for text in [
            "openwrt-24.10.2-0123456789ab-ath79-generic-tplink_archer-c7-v5-squashfs-sysupgrade.bin",
            "openwrt-x86-64-generic-ext4-combined-efi.img.gz",
            "profiles.json",
            "sha256sums",
            "a",
        ] {
            assert_eq!(FileName::parse(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn hostile_names_are_refused() {
        for text in [
            "",
            ".",
            "..",
            ".hidden",
            "../x",
            "a/b",
            "/etc/passwd",
            "a\\b",
            "%2e%2e",
            "%2e%2e%2fx",
            "a\0",
            "a\nb",
            "a\rb",
            "a\u{7f}",
            "a b",
            "a\"b",
            "ä",
            "a\u{202e}gnp.exe",
            &"x".repeat(300),
        ] {
            assert_eq!(FileName::parse(text), Err(InvalidFileName), "{text:?}");
        }
    }
}
