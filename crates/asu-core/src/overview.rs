//! The documents that tell clients which versions, branches and targets there are.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use crate::{Arch, Branch, RevisionChange, Target, Version};

/// A branch as overview.json and branches.json describe it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct BranchOverview {
    /// `24.10` or `SNAPSHOT`
    pub name: Branch,
    /// False if its versions are refused; such a branch has neither versions nor targets here.
    pub enabled: bool,
    /// True for development itself.
    pub snapshot: bool,
    /// Where its files lie below the upstream's URL; `{version}` stands for the version.
    pub path: String,
    /// Means nothing any more; older clients read it.
    path_packages: &'static str,
    /// The revision at which it left the head of development; none for development itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub branch_off_rev: Option<u32>,
    /// What happened to packages until it left, for clients to apply.
    pub package_changes: Vec<&'static RevisionChange>,
    /// Its versions, newest first.
    pub versions: Vec<Version>,
    /// Its targets, with the architecture of each one's packages.
    pub targets: BTreeMap<Target, Arch>,
}

/// What is asked for about the versions: the same for everybody, and the same until upstream changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overview {
    /// The versions that upstream recommends, newest first.
    pub latest: Vec<Version>,
    /// All branches, newest first.
    pub branches: Vec<BranchOverview>,
}

/// What clients are told about the server itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ServerFacts {
    /// The version of this program.
    pub version: String,
    /// Whom to write to; empty if the operator does not say.
    pub contact: String,
    /// First-boot scripts allowed.
    pub allow_defaults: bool,
    /// Prefixes of allowed repositories.
    pub repository_allow_list: Vec<String>,
    /// The largest root filesystem partition, in MiB.
    pub max_custom_rootfs_size_mb: u32,
    /// The longest first-boot script, in bytes.
    pub max_defaults_length: usize,
}

/// overview.json.
#[derive(Debug, Serialize, ToSchema)]
pub struct OverviewDocument<'a> {
    /// The versions that upstream recommends, newest first.
    latest: &'a [Version],
    /// The branches by their names.
    #[serde(serialize_with = "by_name")]
    #[schema(value_type = BTreeMap<String, BranchOverview>)]
    branches: &'a [BranchOverview],
    /// Where clients find the distribution.
    upstream_url: &'a str,
    /// What this server allows.
    server: &'a ServerFacts,
}

/// latest.json.
#[derive(Debug, Serialize, ToSchema)]
pub struct LatestDocument<'a> {
    /// The versions that upstream recommends, newest first.
    latest: &'a [Version],
}

impl BranchOverview {
    /// A branch without versions and targets. The branch-off revision of development itself is ignored: it has none.
    pub fn new(name: Branch, path: String, snapshot: bool, branch_off_rev: Option<u32>) -> Self {
        let branch_off_rev = branch_off_rev.filter(|_| !snapshot);
        Self {
            name,
            enabled: false,
            snapshot,
            path,
            // Older clients read the key; what it meant is found by other means today.
            path_packages: "DEPRECATED",
            branch_off_rev,
            package_changes: RevisionChange::up_to(branch_off_rev).collect(),
            versions: Vec::new(),
            targets: BTreeMap::new(),
        }
    }
}

impl Overview {
    /// overview.json of this server. Clients fetch from `upstream_url`, so that it must be the public one.
    pub fn document<'a>(&'a self, upstream_url: &'a str, server: &'a ServerFacts) -> OverviewDocument<'a> {
        OverviewDocument { latest: &self.latest, branches: &self.branches, upstream_url, server }
    }

    /// latest.json.
    pub fn latest_document(&self) -> LatestDocument<'_> {
        LatestDocument { latest: &self.latest }
    }
}

/// Each version once, in the order given: the upcoming one if there is one, the stable one, the old stable one.
pub fn latest_versions<'a>(recommended: impl IntoIterator<Item = &'a Version>) -> Vec<Version> {
    let mut latest = Vec::new();
    for version in recommended {
        if !latest.contains(version) {
            latest.push(version.clone());
        }
    }
    latest
}

fn by_name<S: Serializer>(branches: &[BranchOverview], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(branches.iter().map(|branch| (&branch.name, branch)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn version(text: &str) -> Version {
        Version::parse(text).unwrap()
    }

    fn facts() -> ServerFacts {
        ServerFacts {
            version: "1.2.3".to_owned(),
            contact: "admin@example.org".to_owned(),
            allow_defaults: true,
            repository_allow_list: vec!["https://repo.example.org".to_owned()],
            max_custom_rootfs_size_mb: 1024,
            max_defaults_length: 20480,
        }
    }

    #[test]
    fn an_overview_looks_as_clients_know_it() {
        let mut branch = BranchOverview::new(Branch::new("22.03"), "releases/{version}".to_owned(), false, Some(19160));
        branch.enabled = true;
        branch.versions = vec![version("22.03.7"), version("22.03-SNAPSHOT")];
        branch.targets.insert(Target::parse("x86/64").unwrap(), Arch::parse("x86_64").unwrap());
        let overview = Overview { latest: vec![version("22.03.7")], branches: vec![branch] };
        let wire = json!({
            "enabled": true,
            "name": "22.03",
            "path": "releases/{version}",
            "path_packages": "DEPRECATED",
            "snapshot": false,
            "branch_off_rev": 19160,
            "package_changes": [{"source": "firewall", "target": "firewall4", "revision": 18611}],
            "versions": ["22.03.7", "22.03-SNAPSHOT"],
            "targets": {"x86/64": "x86_64"},
        });
        assert_eq!(json!(overview.branches), json!([wire]));
        assert_eq!(json!(overview.latest_document()), json!({"latest": ["22.03.7"]}));
        let facts = facts();
        let document = json!(overview.document("https://downloads.example.org", &facts));
        let expected = json!({
            "latest": ["22.03.7"],
            "branches": {"22.03": wire},
            "upstream_url": "https://downloads.example.org",
            "server": {
                "version": "1.2.3",
                "contact": "admin@example.org",
                "allow_defaults": true,
                "repository_allow_list": ["https://repo.example.org"],
                "max_custom_rootfs_size_mb": 1024,
                "max_defaults_length": 20480,
            },
        });
        assert_eq!(document, expected);
    }

    #[test]
    fn development_itself_left_nowhere_and_has_all_changes() {
        for revision in [None, Some(1)] {
            let branch = BranchOverview::new(Branch::new("SNAPSHOT"), "snapshots".to_owned(), true, revision);
            let wire = json!(branch);
            assert!(wire.get("branch_off_rev").is_none(), "{wire}");
            assert_eq!(wire["package_changes"].as_array().map(Vec::len), Some(9), "{wire}");
        }
    }

    #[test]
    fn the_lists_of_a_refused_branch_are_empty_and_there() {
        let wire = json!(BranchOverview::new(Branch::new("21.02"), String::new(), false, Some(15812)));
        for (key, empty) in [("package_changes", json!([])), ("versions", json!([])), ("targets", json!({}))] {
            assert_eq!(wire[key], empty, "{key}");
        }
        assert_eq!(wire["enabled"], false);
    }

    #[test]
    fn no_version_is_recommended_twice() {
        for (recommended, expected) in [
            (&["25.12.0-rc1", "24.10.4", "23.05.6"][..], &["25.12.0-rc1", "24.10.4", "23.05.6"][..]),
            (&["24.10.4", "24.10.4", "23.05.6"], &["24.10.4", "23.05.6"]),
            (&["24.10.4", "23.05.6", "24.10.4"], &["24.10.4", "23.05.6"]),
            (&[], &[]),
        ] {
            let recommended: Vec<_> = recommended.iter().map(|text| version(text)).collect();
            let latest = latest_versions(&recommended);
            assert_eq!(latest.iter().map(Version::as_str).collect::<Vec<_>>(), expected);
        }
    }
}
