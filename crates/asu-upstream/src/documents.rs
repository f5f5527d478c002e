//! The kinds of files that are read, each from its bytes into its type.

use std::{
    collections::{BTreeMap, HashSet},
    error::Error,
    sync::Arc,
};

use asu_core::{Arch, IndexFile, PackageIndex, Target, TargetMetadata, Version, parse_feeds};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// A kind of file: how it is read.
pub(crate) trait Document: Sized + Send + Sync + 'static {
    /// Reads the whole file; anything else than such a file is an error.
    fn parse(body: &[u8]) -> Result<Self, Box<dyn Error + Send + Sync>>;
}

impl Document for TargetMetadata {
    fn parse(body: &[u8]) -> Result<Self, Box<dyn Error + Send + Sync>> {
        Ok(Self::parse(body)?)
    }
}

impl Document for IndexFile {
    fn parse(body: &[u8]) -> Result<Self, Box<dyn Error + Send + Sync>> {
        Ok(Self::parse(body)?)
    }
}

/// `Packages`: the packages of a directory as text.
#[derive(Debug)]
pub(crate) struct PackagesText(pub(crate) Arc<PackageIndex>);

impl Document for PackagesText {
    fn parse(body: &[u8]) -> Result<Self, Box<dyn Error + Send + Sync>> {
        Ok(Self(Arc::new(PackageIndex::parse_packages(std::str::from_utf8(body)?)?)))
    }
}

/// `feeds.conf`: the directories of an architecture's packages.
#[derive(Debug)]
pub(crate) struct Feeds(pub(crate) Vec<String>);

/// More feeds than this no upstream has; each is a file to fetch.
const MOST_FEEDS: usize = 64;

impl Document for Feeds {
    fn parse(body: &[u8]) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let feeds = parse_feeds(std::str::from_utf8(body)?);
        match feeds.len() {
            0 => Err("there is no feed in it".into()),
            count if count > MOST_FEEDS => Err(format!("{count} feeds are more than {MOST_FEEDS}").into()),
            _ => Ok(Self(feeds)),
        }
    }
}

/// `.versions.json`: what is released. Snapshots are not in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versions {
    /// The version that is about to be released, if there is one.
    pub upcoming: Option<Version>,
    /// The newest release.
    pub stable: Option<Version>,
    /// The newest release of the branch before.
    pub oldstable: Option<Version>,
    all: HashSet<Version>,
}

impl Versions {
    /// True for a release or the upcoming version.
    pub fn contains(&self, version: &Version) -> bool {
        self.all.contains(version)
    }

    /// All of them, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &Version> {
        self.all.iter()
    }
}

impl Document for Versions {
    fn parse(body: &[u8]) -> Result<Self, Box<dyn Error + Send + Sync>> {
        #[derive(Deserialize)]
        struct File {
            #[serde(default, deserialize_with = "version_or_nothing")]
            upcoming_version: Option<Version>,
            #[serde(default, deserialize_with = "version_or_nothing")]
            stable_version: Option<Version>,
            #[serde(default, deserialize_with = "version_or_nothing")]
            oldstable_version: Option<Version>,
            versions_list: Vec<Version>,
        }
        // By way of an object: serde reads a struct from a list, too.
        let file = File::deserialize(serde_json::from_slice::<Map<String, Value>>(body)?)?;
        let named =
            [&file.upcoming_version, &file.stable_version, &file.oldstable_version].into_iter().flatten().cloned();
        let all = named.chain(file.versions_list).collect();
        let File { upcoming_version: upcoming, stable_version: stable, oldstable_version: oldstable, .. } = file;
        Ok(Self { upcoming, stable, oldstable, all })
    }
}

/// Upstream writes "" or null where there is no such version.
fn version_or_nothing<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Version>, D::Error> {
    let version = Option::<Version>::deserialize(deserializer)?;
    Ok(version.filter(|version| !version.as_str().is_empty()))
}

/// `.targets.json` of a version: its targets and the architecture of each one's packages.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Targets(BTreeMap<Target, Arch>);

impl Targets {
    /// True if the version has this target.
    pub fn contains(&self, target: &Target) -> bool {
        self.0.contains_key(target)
    }

    /// True if the packages of a target are of this architecture.
    pub fn has_arch(&self, arch: &Arch) -> bool {
        self.0.values().any(|known| known == arch)
    }

    /// True for a version whose targets are still to be built.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Targets and architectures, sorted by target.
    pub fn iter(&self) -> impl Iterator<Item = (&Target, &Arch)> {
        self.0.iter()
    }
}

impl Document for Targets {
    fn parse(body: &[u8]) -> Result<Self, Box<dyn Error + Send + Sync>> {
        Ok(serde_json::from_slice(body)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Option<Version> {
        Some(Version::parse(text).unwrap())
    }

    #[test]
    fn versions_json_may_have_no_upcoming_version() {
        for upcoming in [r#""""#, "null"] {
            let json = format!(
                r#"{{"stable_version": "25.12.0", "oldstable_version": "24.10.4", "upcoming_version": {upcoming},
                    "versions_list": ["24.10.4", "23.05.5"], "more": 1}}"#
            );
            let versions = Versions::parse(json.as_bytes()).unwrap();
            assert_eq!((versions.upcoming.clone(), versions.stable.clone()), (None, version("25.12.0")));
            assert_eq!(versions.iter().count(), 3);
            assert!(versions.contains(&version("25.12.0").unwrap()) && versions.contains(&version("23.05.5").unwrap()));
        }
        let only_the_list = Versions::parse(br#"{"versions_list": ["24.10.4"]}"#).unwrap();
        assert_eq!((only_the_list.stable, only_the_list.oldstable), (None, None));
    }

    #[test]
    fn feeds_are_some_and_not_too_many() {
        assert_eq!(Feeds::parse(b"src-git base https://x\n").unwrap().0, ["base"]);
        for text in ["", "<html>", "# src-git base https://x", &"src-git base https://x\n".repeat(65)] {
            assert!(Feeds::parse(text.as_bytes()).is_err(), "{text}");
        }
        assert!(PackagesText::parse(b"\xff\xfe").is_err());
    }

    #[test]
    fn other_json_is_refused() {
        for json in [
            "{}",
            "[]",
            r#"["", "", "", []]"#,
            r#"{"versions_list": {}}"#,
            r#"{"versions_list": ["a b"]}"#,
            "<html>",
            "",
        ] {
            assert!(Versions::parse(json.as_bytes()).is_err(), "{json}");
        }
        for json in ["[]", r#"{"error": "maintenance"}"#, r#"{"x86/64": 1}"#, "<html>", ""] {
            assert!(<Targets as Document>::parse(json.as_bytes()).is_err(), "{json}");
        }
    }
}
