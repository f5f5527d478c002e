//! One entry of a package list: a package to install, or one to leave out.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    names::{InvalidName, PackageName},
    text_schema::text_schema,
};

/// `luci` asks for a package, `-luci` asks for an image without it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PackageSelector {
    /// The package that is meant.
    pub name: PackageName,
    /// True for `-name`.
    pub remove: bool,
}

impl PackageSelector {
    /// Asks for a package.
    pub fn install(name: PackageName) -> Self {
        Self { name, remove: false }
    }

    /// Reads `name`, `+name` (the same) or `-name`.
    ///
    /// # Errors
    /// Nothing after the sign, or a character outside `[\w.,+-]`.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        // All of them, so that what is printed means the same when it is read again.
        let text = text.trim_start_matches('+');
        let (name, remove) = match text.strip_prefix('-') {
            Some(name) => (name, true),
            None => (text, false),
        };
        Ok(Self { name: PackageName::parse(name)?, remove })
    }
}

text_schema!(PackageSelector, r"-?[\w.,+-]+", "luci", "A package to install, or `-` and one to leave out.");

impl TryFrom<String> for PackageSelector {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, InvalidName> {
        Self::parse(&text)
    }
}

impl From<PackageSelector> for String {
    fn from(selector: PackageSelector) -> String {
        selector.to_string()
    }
}

impl fmt::Display for PackageSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.remove { "-" } else { "" }, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_before_the_name_says_what_is_meant() {
        for (text, expected) in [
            ("luci", "luci"),
            ("+luci", "luci"),
            ("-luci", "-luci"),
            ("libstdc++6", "libstdc++6"),
            ("++luci", "luci"),
            ("++-luci", "-luci"),
            ("-+luci", "-+luci"),
        ] {
            let selector = PackageSelector::parse(text).unwrap();
            assert_eq!(selector.to_string(), expected);
            assert_eq!(PackageSelector::parse(expected), Ok(selector), "{text}: it is read as it was printed");
        }
        for text in ["", "+", "-", "a b", "$(reboot)", "a=b"] {
            assert!(PackageSelector::parse(text).is_err(), "{text:?}");
        }
    }
}
