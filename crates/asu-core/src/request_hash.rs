//! The name of a build: a digest over everything that decides its firmware, and nothing else.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{BuildRequest, InvalidName, PackageSelector, checked_text::checked_text, text_schema::text_schema};

/// 64 lower-case hexadecimal digits. Equal requests for the same firmware have equal hashes; clients treat it as opaque.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RequestHash(String);

/// Begins every encoding; a change of the encoding changes it.
const ENCODING: &[u8] = b"asu request 1";

const PATTERN: &str = "[0-9a-f]{64}";

impl RequestHash {
    /// The hash of a request whose packages are resolved and whose profile is canonical.
    pub fn of(request: &BuildRequest) -> Self {
        let BuildRequest {
            distro,
            version,
            version_code,
            target,
            profile,
            packages,
            packages_versions,
            diff_packages,
            defaults,
            rootfs_size_mb,
            filesystem,
            repositories,
            repositories_mode,
            repository_keys,
            client: _,
            from_version: _,
        } = request;
        let mut packages: Vec<_> = packages.iter().map(PackageSelector::to_string).collect();
        packages.sort_unstable();
        packages.dedup();
        let mut keys: Vec<_> = repository_keys.iter().map(|key| key.as_str()).collect();
        keys.sort_unstable();
        keys.dedup();

        let mut encoding = Encoding::new();
        encoding.text(distro.as_str());
        encoding.text(version.as_str());
        encoding.text(version_code.as_str());
        encoding.text(target.as_str());
        encoding.text(profile.as_str());
        encoding.list(packages.iter().map(String::as_str));
        encoding.list(packages_versions.iter().flat_map(|(name, version)| [name.as_str(), version.as_str()]));
        encoding.text(if *diff_packages { "diff" } else { "" });
        encoding.text(defaults.as_deref().unwrap_or_default());
        encoding.text(&rootfs_size_mb.map(|size| size.to_string()).unwrap_or_default());
        encoding.text(filesystem.map(|filesystem| filesystem.as_str()).unwrap_or_default());
        encoding.list(repositories.iter().flat_map(|(name, url)| [name.as_str(), url.as_str()]));
        // Without repositories the mode decides nothing.
        encoding.text(if repositories.is_empty() { "" } else { repositories_mode.as_str() });
        encoding.list(keys.into_iter());
        Self(hex::encode(encoding.digest.finalize()))
    }

    /// Reads a hash as `of` makes them.
    ///
    /// # Errors
    /// Anything but 64 lower-case hexadecimal digits.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        if text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidName { what: "request_hash", pattern: PATTERN, value: text.to_owned() })
        }
    }

    /// The 64 digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Every text goes in with its length, every list with its count, so that no two requests share an encoding.
struct Encoding {
    digest: Sha256,
}

impl Encoding {
    fn new() -> Self {
        let mut encoding = Self { digest: Sha256::new() };
        encoding.bytes(ENCODING);
        encoding
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.digest.update((bytes.len() as u64).to_be_bytes());
        self.digest.update(bytes);
    }

    fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    fn list<'a>(&mut self, texts: impl Iterator<Item = &'a str>) {
        let texts: Vec<_> = texts.collect();
        self.digest.update((texts.len() as u64).to_be_bytes());
        for text in texts {
            self.text(text);
        }
    }
}

checked_text!(RequestHash, InvalidName);
text_schema!(
    RequestHash,
    PATTERN,
    "9b2cbdd1a2e0a4b8d5f4f4c6f4b2a7d3c9e1f0a6b5c4d3e2f1a0b9c8d7e6f5a4",
    "The name of a build: equal requests for the same firmware have equal hashes."
);
