//! Names of entries: which ones are accepted, and how others are spoken of.

use std::fmt;

use super::error::ArchiveError;

/// The longest path, and the longest name in it, that file systems and URLs take.
pub(super) const LONGEST_PATH: usize = 1024;
const LONGEST_NAME: usize = 255;
/// How much of a name an error shows.
const SHOWN: usize = 120;

/// A name from an archive, made harmless: escaped and cut, so that it can be logged and shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryName(String);

impl EntryName {
    pub(super) fn new(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(&bytes[..bytes.len().min(SHOWN)]);
        Self(text.escape_debug().to_string())
    }
}

impl fmt::Display for EntryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0)
    }
}

/// The names below `root` that lead to an entry; none for the root itself.
pub(super) fn parse_path<'a>(bytes: &'a [u8], root: &str, max_depth: usize) -> Result<Vec<&'a str>, ArchiveError> {
    let name = || EntryName::new(bytes);
    let text = std::str::from_utf8(bytes).map_err(|_| ArchiveError::StrangeName(name()))?;
    if text.len() > LONGEST_PATH || text.chars().any(is_strange) {
        return Err(ArchiveError::StrangeName(name()));
    }
    let mut parts = text.strip_suffix('/').unwrap_or(text).split('/');
    if parts.next() != Some(root) {
        return Err(ArchiveError::Outside(name()));
    }
    let parts: Vec<&str> = parts.collect();
    if parts.iter().any(|part| matches!(*part, "" | "." | "..")) {
        return Err(ArchiveError::Outside(name()));
    }
    if parts.iter().any(|part| part.len() > LONGEST_NAME) {
        return Err(ArchiveError::StrangeName(name()));
    }
    if parts.len() > max_depth {
        return Err(ArchiveError::TooDeep { name: name(), limit: max_depth });
    }
    Ok(parts)
}

/// Control characters, and those that end a line or turn the direction of the text around them.
fn is_strange(c: char) -> bool {
    c.is_control() || matches!(c, '\\' | '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
