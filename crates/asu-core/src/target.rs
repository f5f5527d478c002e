//! A target such as `ath79/generic`.

use serde::{Deserialize, Serialize};

use crate::{
    checked_text::checked_text,
    names::{InvalidName, is_word},
    text_schema::text_schema,
};

const PATTERN: &str = r"\w*/\w*";

/// Both halves of a target, `ath79/generic`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Target(String);

impl Target {
    /// Splits and checks both halves; each may be empty, as the contract says.
    ///
    /// # Errors
    /// Anything that does not match `\w*/\w*`.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        let invalid = || InvalidName { what: "target", pattern: PATTERN, value: text.to_owned() };
        let (target, subtarget) = text.split_once('/').ok_or_else(invalid)?;
        if target.chars().chain(subtarget.chars()).all(is_word) { Ok(Self(text.to_owned())) } else { Err(invalid()) }
    }

    /// `ath79/generic`, as it stands in upstream's paths.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `ath79-generic`, as it stands in the names of images and files.
    pub fn dashed(&self) -> String {
        self.0.replace('/', "-")
    }
}

checked_text!(Target, InvalidName);
text_schema!(Target, PATTERN, "ath79/generic", "Both halves of a target.");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_has_two_halves() {
        for (text, fits) in [
            ("ath79/generic", true),
            ("/", true),
            ("ath79", false),
            ("ath79/generic/x", false),
            ("../etc", false),
            ("a-b/c", false),
        ] {
            assert_eq!(Target::parse(text).is_ok(), fits, "{text:?}");
        }
        assert_eq!(Target::parse("x86/64").unwrap().dashed(), "x86-64");
    }
}
