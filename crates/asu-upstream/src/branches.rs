//! The branches that are served: the built-in ones, changed and added to by the settings.

use std::collections::BTreeMap;

use asu_core::{Branch, Version};

use crate::config::BranchSettings;

const BUILT_IN: &str = include_str!("../data/branches.toml");

/// Where a branch added by the settings has its files unless they say so.
const RELEASES: &str = "releases/{version}";

/// A branch as the overview describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BranchEntry {
    /// `24.10` or `SNAPSHOT`
    pub name: Branch,
    /// Where its files lie below the upstream's URL; `{version}` stands for the version.
    pub path: String,
    /// False if its versions are refused.
    pub enabled: bool,
    /// True for development itself, whose one version has the branch's name.
    pub snapshot: bool,
    /// The revision at which it left the head of development.
    pub branch_off_rev: Option<u32>,
}

impl BranchEntry {
    /// Where the files of a version lie below the upstream's URL.
    pub fn version_path(&self, version: &Version) -> String {
        self.path.replace("{version}", version.as_str())
    }

    /// The version of this branch whose files change under the same name: `SNAPSHOT`, `24.10-SNAPSHOT`.
    pub fn snapshot_version(&self) -> String {
        if self.snapshot { self.name.to_string() } else { format!("{}-SNAPSHOT", self.name) }
    }

    fn change(&mut self, settings: &BranchSettings) {
        let BranchSettings { path, enabled, snapshot, branch_off_rev } = settings.clone();
        self.path = path.unwrap_or_else(|| self.path.clone());
        self.enabled = enabled.unwrap_or(self.enabled);
        self.snapshot = snapshot.unwrap_or(self.snapshot);
        self.branch_off_rev = branch_off_rev.or(self.branch_off_rev);
    }
}

/// All branches, by age.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BranchTable {
    entries: BTreeMap<Branch, BranchEntry>,
}

impl BranchTable {
    /// The built-in branches, with what the settings add or change.
    pub fn new(settings: &BTreeMap<String, BranchSettings>) -> Self {
        let built_in: BTreeMap<String, BranchSettings> =
            toml::from_str(BUILT_IN).expect("the built-in branches are valid, a test reads them");
        Self::of(built_in.iter().chain(settings))
    }

    /// The branches of the settings and no other.
    pub(crate) fn only(settings: &BTreeMap<String, BranchSettings>) -> Self {
        Self::of(settings)
    }

    fn of<'a>(settings: impl IntoIterator<Item = (&'a String, &'a BranchSettings)>) -> Self {
        let mut table = Self { entries: BTreeMap::new() };
        for (name, settings) in settings {
            table.entry(name).change(settings);
        }
        table
    }

    fn entry(&mut self, name: &str) -> &mut BranchEntry {
        let name = Branch::new(name);
        self.entries.entry(name.clone()).or_insert_with(|| BranchEntry {
            name,
            path: RELEASES.to_owned(),
            enabled: true,
            snapshot: false,
            branch_off_rev: None,
        })
    }

    /// All branches, oldest first, those that are refused included.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &BranchEntry> {
        self.entries.values()
    }

    /// The branch of a version, if it is served.
    pub fn serving(&self, version: &Version) -> Option<&BranchEntry> {
        self.entries.get(&version.branch()).filter(|branch| branch.enabled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        Version::parse(text).unwrap()
    }

    #[test]
    fn the_built_in_branches_are_those_of_the_contract() {
        let table = BranchTable::new(&BTreeMap::new());
        let branches: Vec<_> = table.iter().map(|branch| (branch.name.as_str(), branch.branch_off_rev)).collect();
        let expected = [
            ("21.02", Some(15812)),
            ("22.03", Some(19160)),
            ("23.05", Some(23069)),
            ("24.10", Some(27990)),
            ("25.12", Some(32295)),
            ("SNAPSHOT", None),
        ];
        assert_eq!(branches, expected);
        assert!(table.iter().all(|branch| branch.enabled && branch.snapshot == (branch.name.as_str() == "SNAPSHOT")));
    }

    #[test]
    fn versions_lie_where_their_branch_says() {
        let table = BranchTable::new(&BTreeMap::new());
        for (text, path) in [
            ("24.10.4", Some("releases/24.10.4")),
            ("24.10-SNAPSHOT", Some("releases/24.10-SNAPSHOT")),
            ("SNAPSHOT", Some("snapshots")),
            ("18.06.1", None),
            ("..", None),
            ("24.10/..", None),
        ] {
            let path_of = |version: Version| table.serving(&version).map(|branch| branch.version_path(&version));
            assert_eq!(Version::parse(text).ok().and_then(path_of).as_deref(), path, "{text}");
        }
    }

    #[test]
    fn settings_add_branches_and_change_single_fields() {
        let settings = BTreeMap::from([
            ("24.10".to_owned(), BranchSettings { enabled: Some(false), ..BranchSettings::default() }),
            ("26.06".to_owned(), BranchSettings { branch_off_rev: Some(1), ..BranchSettings::default() }),
        ]);
        let table = BranchTable::new(&settings);
        assert_eq!(table.serving(&version("24.10.4")), None);
        let disabled = table.iter().find(|branch| branch.name.as_str() == "24.10").unwrap();
        assert_eq!((disabled.enabled, disabled.branch_off_rev), (false, Some(27990)));
        let added = table.serving(&version("26.06.0")).unwrap();
        assert_eq!(added.version_path(&version("26.06.0")), "releases/26.06.0");
        assert_eq!(added.snapshot_version(), "26.06-SNAPSHOT");
    }
}
