//! By which digest others know an image: that of its manifest in the registry, if it came from one.

use serde::Deserialize;

use crate::{
    error::SandboxError,
    image::{ImageId, ImageReference},
    podman::Podman,
};

/// Podman makes digests up for names of its own host, too.
const OURS: &str = "localhost/";

/// What identifies an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImageDigest {
    /// The digest of its manifest, by which its registry hands it out: `sha256:` and 64 digits.
    Registry(String),
    /// No registry is known to have it; it is known by its own content alone.
    Local(ImageId),
}

#[derive(Deserialize)]
struct Inspected {
    /// The manifest's.
    #[serde(rename = "Digest", default)]
    digest: String,
    /// `repository@sha256:…` for each of its names and each of its manifests; `null` without names.
    #[serde(rename = "RepoDigests", default)]
    repo_digests: Option<Vec<String>>,
}

impl Podman {
    /// The digest of a local image that was fetched by this name.
    ///
    /// # Errors
    /// Podman does not answer.
    pub async fn image_digest(&self, image: &ImageId, name: &ImageReference) -> Result<ImageDigest, SandboxError> {
        let path = format!("/images/{image}/json");
        let local = || ImageDigest::Local(image.clone());
        match self.call("look up the digest of an image", self.wire().get::<Inspected>(&path)).await {
            Ok(inspected) => {
                let (repository, _) = name.repository_and_tag();
                Ok(inspected.digest_in(repository).map_or_else(local, ImageDigest::Registry))
            }
            // Somebody removed it a moment ago.
            Err(error) if error.is_not_found() => Ok(local()),
            Err(error) => Err(error),
        }
    }
}

impl Inspected {
    /// The image may have been fetched by a list of manifests: its own one is the better name.
    fn digest_in(self, repository: &str) -> Option<String> {
        if repository.starts_with(OURS) {
            return None;
        }
        let named: Vec<_> = self.repo_digests.into_iter().flatten().collect();
        let in_repository = named.iter().filter_map(|name| name.split_once('@'));
        let mut digests = in_repository.filter(|(found, _)| *found == repository).map(|(_, digest)| digest);
        let first = digests.next()?;
        let own = [first].into_iter().chain(digests).find(|digest| *digest == self.digest);
        Some(own.unwrap_or(first).to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(repository: &str, expected: Option<&str>) {
        let json = r#"{"Digest": "sha256:b", "RepoDigests":
            ["other:5000/a@sha256:a", "r:5000/a@sha256:a", "r:5000/a@sha256:b", "r/x@sha256:c", "localhost/a@sha256:b"]}"#;
        let inspected: Inspected = serde_json::from_str(json).unwrap();
        assert_eq!(inspected.digest_in(repository).as_deref(), expected, "{repository}");
    }

    #[test]
    fn the_digest_is_the_one_of_the_repository() {
        check("r:5000/a", Some("sha256:b"));
        check("r/x", Some("sha256:c"));
        check("r:5000/b", None);
        check("localhost/a", None);
    }

    #[test]
    fn an_image_without_names_has_none() {
        for json in [r#"{"Digest": "sha256:b", "RepoDigests": null}"#, "{}"] {
            let inspected: Inspected = serde_json::from_str(json).unwrap();
            assert_eq!(inspected.digest_in("r/a"), None);
        }
    }
}
