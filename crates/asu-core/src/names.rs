//! The short texts that clients send: each a type of its own that can only hold its own alphabet.

use serde::{Deserialize, Serialize};

use crate::{checked_text::checked_text, text_schema::text_schema};

/// A text that does not fit the type it was meant for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} must match {pattern}, not {value:?}")]
pub struct InvalidName {
    /// What the text was meant to be, in the words of the wire.
    pub what: &'static str,
    /// The pattern it had to match, as a regular expression over ASCII.
    pub pattern: &'static str,
    /// The offending text.
    pub value: String,
}

/// `\w` of the contract: ASCII only.
pub(crate) fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

macro_rules! name_types {
    ($(#[doc = $doc:literal] $name:ident {
        what: $what:literal, pattern: $pattern:literal, extra: $extra:literal, example: $example:literal
    })*) => {$(
        #[doc = $doc]
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            #[doc = concat!("Checks the alphabet of a ", $what, "; the length is the caller's concern.")]
            ///
            /// # Errors
            /// A character outside the pattern, or too short a text.
            pub fn parse(text: &str) -> Result<Self, InvalidName> {
                let long_enough = !text.is_empty() || !$pattern.ends_with('+');
                let fits = long_enough && text.chars().all(|c| is_word(c) || $extra.contains(c));
                if fits {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(InvalidName { what: $what, pattern: $pattern, value: text.to_owned() })
                }
            }

            /// The text as it was sent.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        checked_text!($name, InvalidName);
        text_schema!($name, $pattern, $example, $doc.trim());
    )*};
}

name_types! {
    /// The name of a distribution, `openwrt` unless the request says otherwise.
    Distro { what: "distro", pattern: "[\\w.,-]*", extra: ".,-", example: "openwrt" }
    /// A revision such as `r28427-6df0e3d02a`; empty when the request does not insist on one.
    VersionCode { what: "version_code", pattern: "[\\w.,-]*", extra: ".,-", example: "r28427-6df0e3d02a" }
    /// The name of a profile (a router model) within its target, commas as they were sent.
    ProfileName { what: "profile", pattern: "[\\w.,-]*", extra: ".,-", example: "8dev_carambola2" }
    /// The name of a package, without the `-` or `+` that a request may put before it.
    PackageName { what: "package", pattern: "[\\w.,+-]+", extra: ".,+-", example: "luci" }
    /// The version of a package, as the package manager prints it.
    PackageVersion { what: "package version", pattern: "[\\w+.,~-]*", extra: "+.,~-", example: "9.1.0-r1" }
    /// The name of a custom package repository.
    RepositoryName { what: "repository name", pattern: "[\\w.-]+", extra: ".-", example: "custom" }
    /// A package architecture such as `mips_24kc`.
    Arch { what: "architecture", pattern: "[\\w.+-]+", extra: ".+-", example: "mips_24kc" }
}

impl Distro {
    /// The built-in distribution, which is meant where a request names none.
    pub fn openwrt() -> Self {
        Self("openwrt".to_owned())
    }
}

impl ProfileName {
    /// Device-tree compatibles (`xiaomi,ax9000`) become profile names (`xiaomi_ax9000`).
    #[must_use]
    pub fn with_commas_replaced(&self) -> Self {
        Self(self.0.replace(',', "_"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_to_their_alphabets() {
        for (text, fits) in [
            ("8dev_carambola2", true),
            ("xiaomi,ax9000", true),
            ("", true),
            ("a b", false),
            ("a/b", false),
            ("ä", false),
            ("a\n", false),
            ("a\0", false),
        ] {
            assert_eq!(ProfileName::parse(text).is_ok(), fits, "{text:?}");
        }
        assert!(PackageName::parse("").is_err());
        assert!(PackageName::parse("libstdc++6").is_ok());
        assert!(RepositoryName::parse("a,b").is_err());
    }

    #[test]
    fn an_invalid_name_says_what_was_expected() {
        let error = PackageName::parse("a;b").unwrap_err();
        assert_eq!(error.to_string(), r#"package must match [\w.,+-]+, not "a;b""#);
    }

    #[test]
    fn deserialising_checks_the_alphabet_too() {
        assert!(serde_json::from_str::<Distro>("\"open wrt\"").is_err());
    }
}
