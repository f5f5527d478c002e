//! The name of the directory that holds one build's files.

use std::{fmt, str::FromStr};

const HASH_LENGTH: usize = 64;
const TOKEN_LENGTH: usize = 12;

/// `<request_hash>-<12 hex digits of the attempt's token>`, so that a worker that lost its build to another cannot
/// touch the other's files.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BinDir(String);

/// A text that names no build's directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a build's directory is named by 64 hex digits, a hyphen and 12 hex digits")]
pub struct InvalidBinDir;

impl BinDir {
    /// The directory of one attempt at a build; of `token` the first 12 hex digits count.
    ///
    /// # Errors
    /// A hash that is not 64 lower-case hex digits, or a token with fewer than 12.
    pub fn new(request_hash: &str, token: &str) -> Result<Self, InvalidBinDir> {
        let token = token.get(..TOKEN_LENGTH).ok_or(InvalidBinDir)?;
        Self::parse(&format!("{request_hash}-{token}"))
    }

    /// Reads a name that came from outside.
    ///
    /// # Errors
    /// Anything but lower-case hex digits in the two lengths.
    pub fn parse(text: &str) -> Result<Self, InvalidBinDir> {
        let (hash, token) = text.split_once('-').ok_or(InvalidBinDir)?;
        let valid = is_hex(hash, HASH_LENGTH) && is_hex(token, TOKEN_LENGTH);
        if valid { Ok(Self(text.to_owned())) } else { Err(InvalidBinDir) }
    }

    /// The name itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The request that the files answer.
    pub fn request_hash(&self) -> &str {
        &self.0[..HASH_LENGTH]
    }
}

fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

impl FromStr for BinDir {
    type Err = InvalidBinDir;

    fn from_str(text: &str) -> Result<Self, InvalidBinDir> {
        Self::parse(text)
    }
}

impl fmt::Display for BinDir {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_a_hash_and_a_token() {
        let hash = "ab".repeat(32);
        let bin_dir = BinDir::new(&hash, "0123456789abcdef").unwrap();
        assert_eq!(bin_dir.as_str(), format!("{hash}-0123456789ab"));
        assert_eq!(bin_dir.request_hash(), hash);
        assert_eq!(bin_dir.as_str().parse(), Ok(bin_dir));
    }

    #[test]
    fn everything_else_is_refused() {
        let hash = "ab".repeat(32);
        let upper = hash.to_uppercase();
        for text in [
            "",
            "..",
            &hash,
            &format!("{hash}-"),
            &format!("{hash}-0123456789a"),
            &format!("{hash}-0123456789abc"),
            &format!("{hash}-0123456789ab.tmp-1"),
            &format!("{hash}-0123456789ab/"),
            &format!("../{hash}-0123456789ab"),
            &format!("{upper}-0123456789ab"),
            &format!("{hash}-0123456789aé"),
            &format!("{hash}\0-0123456789ab"),
        ] {
            assert_eq!(BinDir::parse(text), Err(InvalidBinDir), "{text:?}");
        }
        assert_eq!(BinDir::new(&hash, "short"), Err(InvalidBinDir));
        assert_eq!(BinDir::new(&hash, "01234567890é"), Err(InvalidBinDir));
    }
}
