//! A version such as `24.10.4`, `24.10-SNAPSHOT` or `SNAPSHOT`.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use crate::{
    branch::Branch,
    checked_text::checked_text,
    names::{InvalidName, is_word},
    text_schema::text_schema,
};

/// The version of a distribution. Ordered as releases are: `24.10-SNAPSHOT`, `24.10.0-rc1`, `24.10.0`, `24.10.10`, `SNAPSHOT`.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Version(String);

/// The suffix of a branch's own snapshots, `24.10-SNAPSHOT`.
const SNAPSHOT_SUFFIX: &str = "-SNAPSHOT";

const PATTERN: &str = r"[\w.,-]*";

impl Version {
    /// Checks the alphabet; whether such a version exists is the catalog's to say.
    ///
    /// # Errors
    /// A character outside `[\w.,-]`.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        if text.chars().all(|c| is_word(c) || ".,-".contains(c)) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidName { what: "version", pattern: PATTERN, value: text.to_owned() })
        }
    }

    /// The text as it was sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `24.10` for 24.10.4, 24.10.0-rc2 and 24.10-SNAPSHOT; a version without a dot is its own branch.
    pub fn branch(&self) -> Branch {
        if let Some(branch) = self.0.strip_suffix(SNAPSHOT_SUFFIX) {
            return Branch::new(branch);
        }
        match self.0.rsplit_once('.') {
            Some((branch, _)) => Branch::new(branch),
            None => Branch::new(&self.0),
        }
    }

    /// True for `SNAPSHOT` and `24.10-SNAPSHOT`, whose files change under the same name.
    pub fn is_snapshot(&self) -> bool {
        self.0 == "SNAPSHOT" || self.0.ends_with(SNAPSHOT_SUFFIX)
    }

    /// True for `25.12.0` and `25.12.0-rc1`, which have an ImageBuilder image of their own.
    pub fn is_release(&self) -> bool {
        let (numbers, candidate) = match self.0.split_once("-rc") {
            Some((numbers, candidate)) => (numbers, Some(candidate)),
            None => (self.0.as_str(), None),
        };
        let is_number = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
        numbers.split('.').count() == 3 && numbers.split('.').all(is_number) && candidate.is_none_or(is_number)
    }

    /// (branch, stage within the branch, patch, candidate); the stage puts snapshots before candidates before finals.
    fn age(&self) -> (Branch, u8, u32, u32, &str) {
        if self.is_snapshot() {
            return (self.branch(), 0, 0, 0, "");
        }
        let last = self.0.rsplit('.').next().unwrap_or_default();
        let (patch, candidate) = match last.split_once("-rc") {
            Some((patch, candidate)) => (patch, candidate.parse().unwrap_or(0)),
            None => (last, u32::MAX),
        };
        match patch.parse() {
            Ok(patch) => (self.branch(), 1, patch, candidate, ""),
            // Not a version that upstream would number: after those that are, in the order of the text.
            Err(_) => (self.branch(), 2, 0, 0, &self.0),
        }
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        self.age().cmp(&other.age()).then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

checked_text!(Version, InvalidName);
text_schema!(Version, PATTERN, "24.10.4", "A version of a distribution: a release, `24.10-SNAPSHOT` or `SNAPSHOT`.");

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        Version::parse(text).unwrap()
    }

    #[test]
    fn every_version_has_a_branch() {
        for (text, branch) in [
            ("24.10.4", "24.10"),
            ("24.10.0-rc2", "24.10"),
            ("24.10-SNAPSHOT", "24.10"),
            ("SNAPSHOT", "SNAPSHOT"),
            ("", ""),
        ] {
            assert_eq!(version(text).branch().as_str(), branch, "{text:?}");
        }
    }

    #[test]
    fn releases_have_three_numbers() {
        for (text, is_release) in [
            ("24.10.4", true),
            ("24.10.0-rc12", true),
            ("24.10", false),
            ("24.10.4-rc", false),
            ("24.10.x", false),
            ("24.10-SNAPSHOT", false),
            ("SNAPSHOT", false),
        ] {
            assert_eq!(version(text).is_release(), is_release, "{text:?}");
        }
    }

    #[test]
    fn versions_are_ordered_as_they_were_released() {
        let ordered = [
            "23.05.6",
            "24.10-SNAPSHOT",
            "24.10.0-rc1",
            "24.10.0-rc10",
            "24.10.0",
            "24.10.9",
            "24.10.10",
            "25.12.0",
            "SNAPSHOT",
        ]
        .map(version);
        let mut shuffled = ordered.clone();
        shuffled.reverse();
        shuffled.sort();
        assert_eq!(shuffled, ordered);
    }
}
