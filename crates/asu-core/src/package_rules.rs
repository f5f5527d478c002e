//! The table of package rules: for which versions, targets and profiles which packages are added, removed or replaced.

use std::{collections::BTreeMap, sync::LazyLock};

use serde::Deserialize;

use crate::{Branch, PackageName, ProfileName, Target, Version};

/// The rules that come with this program.
static BUILT_IN: LazyLock<PackageRules> = LazyLock::new(|| {
    PackageRules::parse(include_str!("../data/package_rules.toml"))
        .expect("the built-in rules are valid, a test reads them")
});

/// The rules in the order in which they apply: `rule`s from top to bottom, then `rename`s, then `drop`s.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackageRules {
    #[serde(rename = "rule", default)]
    pub(crate) rules: Vec<Rule>,
    #[serde(rename = "rename", default)]
    pub(crate) renames: Vec<Rename>,
    #[serde(rename = "drop", default)]
    pub(crate) drops: Vec<Drop>,
}

/// A table of rules that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("invalid package rules")]
pub struct InvalidPackageRules(#[from] toml::de::Error);

impl PackageRules {
    /// Reads a table in the form of the built-in one.
    ///
    /// # Errors
    /// Text that is no TOML, an unknown key, or a rule without its version or its reason.
    pub fn parse(text: &str) -> Result<Self, InvalidPackageRules> {
        Ok(toml::from_str(text)?)
    }

    /// The rules that come with this program.
    pub fn built_in() -> &'static Self {
        &BUILT_IN
    }
}

/// Adds, removes and replaces whole packages.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "RuleEntry")]
pub(crate) struct Rule {
    versions: Versions,
    targets: Option<Vec<Target>>,
    profiles: Option<Vec<ProfileName>>,
    pub(crate) add: Vec<PackageName>,
    pub(crate) remove: Vec<PackageName>,
    pub(crate) replace: BTreeMap<PackageName, PackageName>,
    pub(crate) reason: String,
}

impl Rule {
    pub(crate) fn applies_to(&self, version: &Version, target: &Target, profile: &ProfileName) -> bool {
        self.versions.hold(version)
            && self.targets.as_ref().is_none_or(|targets| targets.contains(target))
            && self.profiles.as_ref().is_none_or(|profiles| profiles.contains(profile))
    }
}

/// Renames every package whose name begins with a prefix; it keeps its place in the list.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rename {
    since: Branch,
    from_prefix: String,
    to_prefix: String,
    #[serde(rename = "why")]
    pub(crate) reason: String,
}

impl Rename {
    pub(crate) fn applies_to(&self, version: &Version) -> bool {
        version.branch() >= self.since
    }

    /// The new name of a package that this renames.
    pub(crate) fn new_name(&self, package: &PackageName) -> Option<PackageName> {
        let rest = package.as_str().strip_prefix(&self.from_prefix)?;
        PackageName::parse(&format!("{}{rest}", self.to_prefix)).ok()
    }
}

/// Drops every package whose name begins and ends in a certain way, be it with the same letters.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Drop {
    starts_with: String,
    ends_with: String,
    #[serde(rename = "why")]
    pub(crate) reason: String,
}

impl Drop {
    pub(crate) fn concerns(&self, package: &PackageName) -> bool {
        package.as_str().starts_with(&self.starts_with) && package.as_str().ends_with(&self.ends_with)
    }
}

#[derive(Debug, Clone)]
enum Versions {
    Branch(Branch),
    Only(Version),
    Since(Branch),
}

impl Versions {
    fn hold(&self, version: &Version) -> bool {
        match self {
            Self::Branch(branch) => version.branch() == *branch,
            Self::Only(only) => version == only,
            Self::Since(branch) => version.branch() >= *branch,
        }
    }
}

/// A rule as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleEntry {
    branch: Option<Branch>,
    version: Option<Version>,
    since: Option<Branch>,
    targets: Option<Vec<Target>>,
    profiles: Option<Vec<ProfileName>>,
    #[serde(default)]
    add: Vec<PackageName>,
    #[serde(default)]
    remove: Vec<PackageName>,
    #[serde(default)]
    replace: BTreeMap<PackageName, PackageName>,
    commit: Option<String>,
    why: Option<String>,
}

impl TryFrom<RuleEntry> for Rule {
    type Error = &'static str;

    fn try_from(entry: RuleEntry) -> Result<Self, Self::Error> {
        let versions = match (entry.branch, entry.version, entry.since) {
            (Some(branch), None, None) => Versions::Branch(branch),
            (None, Some(version), None) => Versions::Only(version),
            (None, None, Some(since)) => Versions::Since(since),
            _ => return Err("a rule has exactly one of branch, version and since"),
        };
        let reason = match (entry.why, entry.commit) {
            (Some(why), None) => why,
            (None, Some(commit)) => format!("upstream moved it in commit {commit}"),
            _ => return Err("a rule has exactly one of why and commit"),
        };
        let RuleEntry { targets, profiles, add, remove, replace, .. } = entry;
        Ok(Self { versions, targets, profiles, add, remove, replace, reason })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_that_says_too_little_or_too_much_is_refused() {
        for text in [
            "[[rule]]\nadd = ['a']\nwhy = 'x'",
            "[[rule]]\nbranch = '24.10'\nsince = '24.10'\nadd = ['a']\nwhy = 'x'",
            "[[rule]]\nbranch = '24.10'\nadd = ['a']",
            "[[rule]]\nbranch = '24.10'\nadd = ['a b']\nwhy = 'x'",
            "[[rule]]\nbranch = '24.10'\nad = ['a']\nwhy = 'x'",
            "[[rules]]\nbranch = '24.10'",
        ] {
            assert!(PackageRules::parse(text).is_err(), "{text}");
        }
        assert_eq!(PackageRules::parse("[[rule]]\nbranch = '24.10'\nadd = ['a']\nwhy = 'x'").unwrap().rules.len(), 1);
    }

    #[test]
    fn since_includes_snapshots() {
        let since = Versions::Since(Branch::new("24.10"));
        for (version, holds) in [("23.05.5", false), ("24.10-SNAPSHOT", true), ("25.12.0", true), ("SNAPSHOT", true)] {
            assert_eq!(since.hold(&Version::parse(version).unwrap()), holds, "{version}");
        }
    }
}
