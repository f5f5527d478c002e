//! The table of package changes by revision, which clients apply when they move a device to a newer version.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::PackageName;

/// The changes that come with this program.
static BUILT_IN: LazyLock<Vec<RevisionChange>> = LazyLock::new(|| {
    parse(include_str!("../data/package_changes.toml")).expect("the built-in table is valid, a test reads it")
});

/// What happened to a package at a revision. With source and target it was renamed, with a source only it was added,
/// with a target only it was deleted. Serialises to an entry of `package_changes` on the wire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RevisionChange {
    /// The package as it was called, or the one that was added.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<PackageName>,
    /// The package that took over, or the one that was deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<PackageName>,
    /// The number in `r27897-…` from which on it is so.
    pub revision: u32,
    /// True if the change applies whether or not the user wants it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub mandatory: bool,
}

impl RevisionChange {
    /// The built-in changes that a branch has which left the head of development at this revision; all of them for the
    /// head itself.
    pub fn up_to(branch_off_rev: Option<u32>) -> impl Iterator<Item = &'static Self> {
        BUILT_IN.iter().filter(move |change| branch_off_rev.is_none_or(|revision| change.revision <= revision))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    change: Vec<RevisionChange>,
}

fn parse(text: &str) -> Result<Vec<RevisionChange>, toml::de::Error> {
    Ok(toml::from_str::<Table>(text)?.change)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_branch_has_the_changes_before_it_left() {
        for (branch_off_rev, count) in [
            (Some(15812), 0),
            (Some(18611), 1),
            (Some(19160), 1),
            (Some(23069), 5),
            (Some(27990), 8),
            (Some(32295), 9),
            (None, 9),
        ] {
            assert_eq!(RevisionChange::up_to(branch_off_rev).count(), count, "{branch_off_rev:?}");
        }
    }

    #[test]
    fn changes_look_on_the_wire_as_clients_know_them() {
        let wire: Vec<_> = RevisionChange::up_to(Some(20282)).map(|change| json!(change)).collect();
        let renamed = json!({"source": "firewall", "target": "firewall4", "revision": 18611});
        assert_eq!(wire, [renamed, json!({"source": "kmod-nft-nat6", "revision": 20282, "mandatory": true})]);
    }

    #[test]
    fn a_table_with_an_unknown_key_is_refused() {
        assert!(parse("[[change]]\nsource = \"a\"\nrevision = 1\nmandatroy = true\n").is_err());
        assert!(parse("[[change]]\nsource = \"a\"\n").is_err());
    }
}
