//! Images: their names, what they are known by, and looking after the local ones.

use std::{fmt, str::FromStr};

use crate::{error::SandboxError, podman::Podman};

/// The longest name that a registry may know, with host and tag.
const LONGEST: usize = 400;

/// The name of an image, such as `ghcr.io/openwrt/imagebuilder:x86-64-v24.10.4`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ImageReference(String);

/// Text that is not the name of an image.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not the name of an image")]
pub struct BadImage(String);

impl ImageReference {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Repository and tag; the colon of a port is before the last slash.
    pub(crate) fn repository_and_tag(&self) -> (&str, &str) {
        match self.0.rsplit_once(':') {
            Some((repository, tag)) if !tag.contains('/') => (repository, tag),
            _ => (&self.0, "latest"),
        }
    }
}

impl FromStr for ImageReference {
    type Err = BadImage;

    /// Takes what may stand in a URL's path as it is; the registry knows the rest of the rules.
    fn from_str(text: &str) -> Result<Self, BadImage> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "._-/:@".contains(c);
        let segments = text.split('/').all(|part| part.starts_with(|c: char| c.is_ascii_alphanumeric()));
        if text.len() > LONGEST || !text.chars().all(allowed) || !segments {
            return Err(BadImage(text.chars().take(LONGEST).collect()));
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for ImageReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a local image is known by for ever: the digest of its configuration, and so of its content.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ImageId(String);

impl ImageId {
    /// 64 hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ImageId {
    type Err = BadImage;

    fn from_str(text: &str) -> Result<Self, BadImage> {
        let digits = text.strip_prefix("sha256:").unwrap_or(text);
        let valid = digits.len() == 64 && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if valid { Ok(Self(digits.to_owned())) } else { Err(BadImage(text.chars().take(LONGEST).collect())) }
    }
}

impl fmt::Display for ImageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What came of the wish to remove an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RemovedImage {
    /// It was there and is not any more.
    Removed,
    /// It was not there.
    Absent,
    /// A container is made of it, so it stays.
    InUse,
}

#[derive(serde::Deserialize)]
struct Inspected {
    #[serde(rename = "Id")]
    id: String,
}

impl Podman {
    /// The local image of this name, without asking any registry.
    ///
    /// # Errors
    /// Podman does not answer.
    pub async fn image(&self, image: &ImageReference) -> Result<Option<ImageId>, SandboxError> {
        const ACTION: &str = "look up an image";
        let path = format!("/images/{image}/json");
        match self.call(ACTION, self.wire().get::<Inspected>(&path)).await {
            Ok(inspected) => inspected.id.parse().map(Some).map_err(|bad: BadImage| garbled(ACTION, bad)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Takes the name from a local image; the image goes with its last name.
    ///
    /// # Errors
    /// Podman does not answer, or refuses.
    pub async fn remove_image(&self, image: &ImageReference) -> Result<RemovedImage, SandboxError> {
        self.remove_image_at(image.as_str()).await
    }

    pub(crate) async fn remove_image_at(&self, image: &str) -> Result<RemovedImage, SandboxError> {
        let answer = self.call("remove an image", self.wire().delete(&format!("/images/{image}"))).await;
        let Err(error) = answer else { return Ok(RemovedImage::Removed) };
        match error.refusal().map(|refusal| refusal.code) {
            Some(404) => Ok(RemovedImage::Absent),
            Some(409) => Ok(RemovedImage::InUse),
            _ => Err(error),
        }
    }
}

pub(crate) fn garbled(action: &'static str, source: BadImage) -> SandboxError {
    SandboxError::Garbled { action, source: source.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_images_fit_into_the_path_of_a_url() {
        for name in ["ghcr.io/openwrt/imagebuilder:x86-64-v24.10.4", "127.0.0.1:5000/a/b:c_d", "a@sha256:0f"] {
            assert_eq!(name.parse::<ImageReference>().unwrap().as_str(), name);
        }
        for name in ["", "a b", "../x", "a/../b", "a//b", "/a", "a/", "a?b", "a#b", "a%2fb", "ä", "a\nb", "-a"] {
            assert!(name.parse::<ImageReference>().is_err(), "{name:?}");
        }
        assert!("a".repeat(401).parse::<ImageReference>().is_err());
    }

    #[test]
    fn the_port_of_a_registry_is_no_tag() {
        let check = |name: &str, expected| {
            assert_eq!(name.parse::<ImageReference>().unwrap().repository_and_tag(), expected);
        };
        check("127.0.0.1:5000/a", ("127.0.0.1:5000/a", "latest"));
        check("127.0.0.1:5000/a:t", ("127.0.0.1:5000/a", "t"));
    }

    #[test]
    fn ids_of_images_are_64_digits() {
        let digits = "0f".repeat(32);
        assert_eq!(format!("sha256:{digits}").parse::<ImageId>().unwrap().as_str(), digits);
        for text in ["", "0f", &"0F".repeat(32), &"0g".repeat(32)] {
            assert!(text.parse::<ImageId>().is_err(), "{text}");
        }
    }
}
