//! Which packages a directory of upstream has in which versions: its index.json, or its Packages text.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Branch, LinuxKernel, Version, json_object::FromObject};

/// The packages of a directory under the names by which they are asked for. Names and versions are kept as they are
/// written: a spelling that is unknown here must not cost the rest of the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PackageIndex {
    /// The architecture; empty where nothing names it.
    pub architecture: String,
    /// Version by name.
    pub packages: BTreeMap<String, String>,
}

/// An index.json in the form that it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IndexFile {
    /// Names are those by which packages are asked for.
    Current(Arc<PackageIndex>),
    /// Names of libraries end in the version of their binary interface.
    Old(Arc<PackageIndex>),
}

impl IndexFile {
    /// Reads an index.json.
    ///
    /// # Errors
    /// Anything else than an object with packages.
    pub fn parse(json: &[u8]) -> Result<Self, serde_json::Error> {
        #[derive(Deserialize)]
        struct File {
            version: Option<u64>,
            #[serde(default)]
            architecture: String,
            packages: BTreeMap<String, String>,
        }
        let FromObject(File { version, architecture, packages }) = serde_json::from_slice(json)?;
        let index = Arc::new(PackageIndex { architecture, packages });
        Ok(if version.is_some() { Self::Current(index) } else { Self::Old(index) })
    }
}

/// A text that is not a list of packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a list of packages must have fields such as `Package: name`")]
pub struct InvalidPackages;

impl PackageIndex {
    /// Reads a Packages text. A library's name loses the version of its binary interface.
    ///
    /// # Errors
    /// A text in which no package stands, unless it is empty: a feed may have no packages.
    pub fn parse_packages(text: &str) -> Result<Self, InvalidPackages> {
        let mut index = Self { architecture: String::new(), packages: BTreeMap::new() };
        // An empty line ends a package; the last one may lack it.
        text.lines().chain([""]).fold(Entry::default(), |entry, line| index.read(entry, line));
        if index.packages.is_empty() && !text.trim().is_empty() { Err(InvalidPackages) } else { Ok(index) }
    }

    /// The same with the packages of another directory added, such as kernel modules.
    #[must_use]
    pub fn with(&self, others: &Self) -> Self {
        let mut index = self.clone();
        index.packages.extend(others.packages.clone());
        index
    }

    fn read<'a>(&mut self, mut entry: Entry<'a>, line: &'a str) -> Entry<'a> {
        if line.trim().is_empty() {
            self.insert(&entry);
            return Entry::default();
        }
        // Lines of a description that begin with a space name no field.
        match line.split_once(':').map(|(field, value)| (field, value.trim())) {
            Some(("Package", value)) => entry.name = value,
            Some(("Version", value)) => entry.version = value,
            Some(("ABIVersion", value)) => entry.abi = value,
            Some(("Architecture", value)) => entry.architecture = value,
            Some(_) | None => {}
        }
        entry
    }

    fn insert(&mut self, entry: &Entry<'_>) {
        let Entry { name, version, abi, architecture } = *entry;
        if name.is_empty() {
            return;
        }
        let base = name.strip_suffix(abi).filter(|base| !base.is_empty()).unwrap_or(name);
        self.packages.insert(base.to_owned(), version.to_owned());
        // Packages of texts and scripts are of every architecture.
        if self.architecture.is_empty() && architecture != "all" {
            architecture.clone_into(&mut self.architecture);
        }
    }
}

#[derive(Default)]
struct Entry<'a> {
    name: &'a str,
    version: &'a str,
    abi: &'a str,
    architecture: &'a str,
}

impl LinuxKernel {
    /// The directory of the kernel's modules below `kmods/`; `None` if a part of it is no plain word.
    pub fn kmods_directory(&self) -> Option<String> {
        let Self { version, release, vermagic } = self;
        let is_plain = |part: &String| part.chars().all(|c| c.is_ascii_alphanumeric() || "._+~-".contains(c));
        [version, release, vermagic].into_iter().all(is_plain).then(|| format!("{version}-{release}-{vermagic}"))
    }
}

impl Version {
    /// True for versions whose kernel modules lie in a directory of their own: 23.05-SNAPSHOT, 23.05.6, 24.10 and newer.
    pub fn has_kmods_directory(&self) -> bool {
        let branch = self.branch();
        if branch.as_str() == "23.05" {
            let first = Self::parse("23.05.6").expect("digits and dots");
            return self.is_snapshot() || *self >= first;
        }
        branch >= Branch::new("24.10")
    }
}

/// The packages of all feeds as one list; of two with the same name that of the later feed counts.
pub fn merge_feeds(feeds: &[Arc<PackageIndex>]) -> BTreeMap<&str, &str> {
    let packages = feeds.iter().flat_map(|feed| &feed.packages);
    packages.map(|(name, version)| (name.as_str(), version.as_str())).collect()
}

/// The feeds that a feeds.conf names, in its order: the second word of each line that is neither blank nor a comment.
pub fn parse_feeds(text: &str) -> Vec<String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_whitespace().nth(1)).filter(|feed| is_feed(feed)).map(str::to_owned).collect()
}

/// A feed is a directory; `..` would be another one.
fn is_feed(feed: &str) -> bool {
    let is_plain = feed.chars().all(|c| c.is_ascii_alphanumeric() || "_.+-".contains(c));
    is_plain && !feed.chars().all(|c| c == '.')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(architecture: &str, packages: &[(&str, &str)]) -> PackageIndex {
        let packages = packages.iter().map(|&(name, version)| (name.to_owned(), version.to_owned())).collect();
        PackageIndex { architecture: architecture.to_owned(), packages }
    }

    #[test]
    fn an_index_has_one_of_two_forms() {
        let current = IndexFile::parse(br#"{"architecture": "x86_64", "packages": {"a": "1-r1"}, "version": 2}"#);
        assert_eq!(current.unwrap(), IndexFile::Current(Arc::new(index("x86_64", &[("a", "1-r1")]))));
        let old = IndexFile::parse(br#"{"architecture": "x86_64", "packages": {"liba1": "1"}}"#);
        assert_eq!(old.unwrap(), IndexFile::Old(Arc::new(index("x86_64", &[("liba1", "1")]))));
        for json in [
            "",
            "[]",
            "{}",
            r#"{"error": "maintenance", "list": [1]}"#,
            r#"{"packages": []}"#,
            r#"[2, "a", {}]"#,
            "<html>",
        ] {
            assert!(IndexFile::parse(json.as_bytes()).is_err(), "{json}");
        }
    }

    #[test]
    fn an_index_on_the_wire_has_no_version() {
        let wire = serde_json::to_string(&index("x86_64", &[("a", "1")])).unwrap();
        assert_eq!(wire, r#"{"architecture":"x86_64","packages":{"a":"1"}}"#);
    }

    #[test]
    fn indexes_are_merged_and_the_later_one_counts() {
        let (first, second) = (index("x86_64", &[("a", "1"), ("b", "1")]), index("", &[("b", "2"), ("c", "1")]));
        let merged = [("a", "1"), ("b", "2"), ("c", "1")];
        assert_eq!(first.with(&second), index("x86_64", &merged));
        assert_eq!(merge_feeds(&[Arc::new(first), Arc::new(second)]), BTreeMap::from(merged));
        assert_eq!(merge_feeds(&[]), BTreeMap::new());
    }

    #[test]
    fn names_in_a_packages_text_lose_their_interface_version() {
        let text = "Package: luci\nVersion: git-1\nArchitecture: all\n\nPackage: libubox20230523\nABIVersion: 20230523\n\
                    Version: 2023-1\nArchitecture: x86_64\nDescription: a\n Package: no\n\n\nPackage: kmod-a\nVersion: 5.15~1\n\
                    \nPackage: b1\nVersion: 1\nABIVersion: \n\nPackage: 7\nVersion: 1\nABIVersion: 7\n\nPackage: last\r\nVersion: 1:2\r\n";
        let expected =
            [("7", "1"), ("b1", "1"), ("kmod-a", "5.15~1"), ("last", "1:2"), ("libubox", "2023-1"), ("luci", "git-1")];
        assert_eq!(PackageIndex::parse_packages(text), Ok(index("x86_64", &expected)));
        assert_eq!(PackageIndex::parse_packages("\n"), Ok(index("", &[])));
        for text in ["<html>", "{\"Package\": 1}", "Version: 1\n"] {
            assert_eq!(PackageIndex::parse_packages(text), Err(InvalidPackages), "{text}");
        }
    }

    #[test]
    fn kernel_modules_lie_apart_since_23_05_6() {
        for (text, expected) in [
            ("21.02.7", false),
            ("22.03-SNAPSHOT", false),
            ("23.05.5", false),
            ("23.05.0-rc4", false),
            ("23.05.6", true),
            ("23.05.10", true),
            ("23.05-SNAPSHOT", true),
            ("24.10.0-rc1", true),
            ("24.10-SNAPSHOT", true),
            ("25.12.0", true),
            ("100.1.0", true),
            ("SNAPSHOT", true),
        ] {
            assert_eq!(Version::parse(text).unwrap().has_kmods_directory(), expected, "{text}");
        }
    }

    #[test]
    fn the_directory_of_kernel_modules_is_one_directory() {
        let directory = |version: &str, vermagic: &str| {
            let kernel = LinuxKernel { version: version.into(), release: "1".into(), vermagic: vermagic.into() };
            kernel.kmods_directory()
        };
        assert_eq!(directory("6.6.110", "f5b8").as_deref(), Some("6.6.110-1-f5b8"));
        assert_eq!(directory("../..", "f5b8"), None);
        assert_eq!(directory("6.6.110", "f5b8?x"), None);
    }

    #[test]
    fn feeds_are_the_second_words() {
        for (text, expected) in [
            ("# base\n\nsrc-git base https://x^1\n  src-git-full luci https://y\n", &["base", "luci"][..]),
            ("src-git ../.. https://x\nsrc-git .. https://x\nsrc-git a/b https://x\nsrc-git\n", &[]),
            ("", &[]),
        ] {
            assert_eq!(parse_feeds(text), expected, "{text}");
        }
    }
}
