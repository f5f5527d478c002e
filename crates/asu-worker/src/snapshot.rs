//! A snapshot's ImageBuilder: what tells it from others, and what the image that is kept of it is called.

use asu_core::{Distro, Target, Version, VersionCode};
use asu_sandbox::ImageReference;
use sha2::{Digest, Sha256};

use crate::labels;

/// Where the images are that are made here; no registry has this name.
const REPOSITORY: &str = "localhost/asu/snapshot";

/// What every image that was made here is written on it, whatever it is for.
pub(crate) const KIND: &str = "asu.image";
/// The snapshot that an image is of; all its revisions have the same.
pub(crate) const SNAPSHOT: &str = "asu.image.snapshot";
/// What an image is for.
pub(crate) const DISTRO: &str = "asu.image.distro";
pub(crate) const VERSION: &str = "asu.image.version";
pub(crate) const TARGET: &str = "asu.image.target";
/// The revision of the ImageBuilder in an image.
pub(crate) const REVISION: &str = "asu.image.revision";

/// A tag may have this many characters.
const LONGEST_TAG: usize = 128;
/// Digits of a digest that tell some thousand snapshots apart.
const DIGITS: usize = 16;

/// An ImageBuilder that upstream makes anew every day.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Snapshot {
    pub(crate) distro: Distro,
    /// Where containers fetch it.
    pub(crate) upstream_url: String,
    pub(crate) version: Version,
    /// Where upstream keeps the files of the version.
    pub(crate) version_path: String,
    pub(crate) target: Target,
}

impl Snapshot {
    /// The name of the image of one revision.
    pub(crate) fn image(&self, revision: &VersionCode) -> ImageReference {
        let digest = self.digest(revision.as_str());
        let plain = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' };
        let words = format!("{}-{}-{revision}", self.version, self.target.dashed());
        let words: String = words.chars().map(plain).take(LONGEST_TAG - DIGITS - 1).collect();
        format!("{REPOSITORY}:{words}-{digest}").parse().expect("it was brought into the alphabet and the length")
    }

    /// The value of [`SNAPSHOT`]. A digest: a URL may hold a password.
    pub(crate) fn id(&self) -> String {
        self.digest("")
    }

    /// What is written on the image of one revision. What the container has from the build that happened to need it
    /// first is wiped.
    pub(crate) fn labels(&self, revision: &VersionCode) -> Vec<(&'static str, String)> {
        let mut labels = vec![
            (KIND, "snapshot".to_owned()),
            (SNAPSHOT, self.id()),
            (REVISION, revision.to_string()),
            (DISTRO, self.distro.to_string()),
            (VERSION, self.version.to_string()),
            (TARGET, self.target.to_string()),
        ];
        labels.extend(labels::ALL.map(|key| (key, String::new())));
        labels
    }

    /// Each field with its length, so that no two snapshots read alike.
    fn digest(&self, revision: &str) -> String {
        let Self { distro, upstream_url, version, version_path, target } = self;
        let mut hasher = Sha256::new();
        for field in [distro.as_str(), upstream_url, version.as_str(), version_path, target.as_str(), revision] {
            hasher.update(format!("{}:{field}", field.len()));
        }
        let mut digits = hex::encode(hasher.finalize());
        digits.truncate(DIGITS);
        digits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(version: &str, upstream_url: &str) -> Snapshot {
        Snapshot {
            distro: Distro::openwrt(),
            upstream_url: upstream_url.to_owned(),
            version: Version::parse(version).unwrap(),
            version_path: "snapshots".to_owned(),
            target: Target::parse("x86/64").unwrap(),
        }
    }

    #[test]
    fn an_image_is_called_after_what_is_in_it() {
        let revision = VersionCode::parse("r1,2-abc").unwrap();
        let name = snapshot("24.10-SNAPSHOT", "https://a.example").image(&revision).to_string();
        let digits = name.strip_prefix("localhost/asu/snapshot:24.10-SNAPSHOT-x86-64-r1_2-abc-").unwrap();
        assert_eq!(digits.len(), DIGITS);
        let long = VersionCode::parse(&"r".repeat(200)).unwrap();
        let name = snapshot("SNAPSHOT", "https://a.example").image(&long).to_string();
        assert_eq!(name.len(), REPOSITORY.len() + 1 + LONGEST_TAG);
    }

    #[test]
    fn snapshots_of_two_upstreams_and_two_revisions_are_told_apart() {
        let (one, other) = (snapshot("SNAPSHOT", "https://a.example"), snapshot("SNAPSHOT", "https://b.example"));
        let [old, new] = ["r1-a", "r2-b"].map(|text| VersionCode::parse(text).unwrap());
        assert_ne!(one.id(), other.id());
        assert_ne!(one.image(&old), other.image(&old));
        assert_ne!(one.image(&old), one.image(&new));
        assert_eq!(one.labels(&old)[1], one.labels(&new)[1]);
        assert!(!format!("{:?}", one.labels(&old)).contains("a.example"));
    }
}
