//! The images of a finished build, and which of them are wanted.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::{
    client::{answer::Answer, error::ClientError, image_name::ImageName},
    output::harmless,
};

/// An image that the server offers.
#[derive(Debug, Clone)]
pub(crate) struct Image {
    /// The file's name.
    pub(crate) name: ImageName,
    /// What its content must have, in lower-case hexadecimal.
    pub(crate) sha256: String,
    /// In bytes, if the server tells.
    pub(crate) size: Option<u64>,
    /// Such as `sysupgrade`.
    pub(crate) kind: Option<String>,
    /// Such as `squashfs`.
    pub(crate) filesystem: Option<String>,
}

/// An entry of `images` on the wire.
#[derive(Deserialize)]
struct Offered {
    name: String,
    #[serde(default)]
    sha256: Option<String>,
    #[serde(default)]
    size: Option<u64>,
    #[serde(default, rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    filesystem: Option<String>,
}

impl TryFrom<Offered> for Image {
    type Error = ClientError;

    fn try_from(offered: Offered) -> Result<Self, ClientError> {
        let name = ImageName::parse(&offered.name)?;
        let sha256 = offered.sha256.unwrap_or_default().to_ascii_lowercase();
        if sha256.len() != 64 || !sha256.chars().all(|c| c.is_ascii_hexdigit()) {
            return Err(ClientError::NoChecksum(name.to_string()));
        }
        Ok(Self { name, sha256, size: offered.size, kind: offered.kind, filesystem: offered.filesystem })
    }
}

/// Which images are wanted.
#[derive(Debug)]
pub(crate) struct Wanted<'a> {
    /// Types; none means all.
    pub(crate) types: &'a [String],
    /// A root file system; images without one, such as kernels, go with each.
    pub(crate) filesystem: Option<&'a str>,
}

impl Wanted<'_> {
    /// The wanted images of a finished build.
    ///
    /// # Errors
    /// None is wanted, or one of them has an impossible name or no checksum.
    pub(crate) fn choose(&self, answer: &Answer) -> Result<Vec<Image>, ClientError> {
        let offered: Vec<Offered> = answer.get("images").unwrap_or_default();
        let types: BTreeSet<_> = offered.iter().filter_map(|image| image.kind.clone()).collect();
        let chosen: Vec<_> = offered.into_iter().filter(|image| self.has(image)).collect();
        if chosen.is_empty() {
            let types = types.into_iter().collect::<Vec<_>>().join(", ");
            let sentence = format!("the build made no image of the wanted kind; its types: {}", harmless(&types));
            return Err(ClientError::NoImages(sentence));
        }
        chosen.into_iter().map(Image::try_from).collect()
    }

    fn has(&self, image: &Offered) -> bool {
        let type_fits = self.types.is_empty() || image.kind.as_ref().is_some_and(|kind| self.types.contains(kind));
        type_fits && self.filesystem.is_none_or(|wanted| image.filesystem.as_deref().is_none_or(|has| has == wanted))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn finished() -> Answer {
        let sum = "a".repeat(64);
        let body = json!({"images": [
            {"name": "s.img", "sha256": sum, "type": "combined", "filesystem": "squashfs", "size": 3},
            {"name": "e.img", "sha256": sum, "type": "combined", "filesystem": "ext4"},
            {"name": "k.bin", "sha256": sum, "type": "kernel", "new": []},
        ]});
        Answer::new(200, None, &body.to_string())
    }

    fn check(types: &[&str], filesystem: Option<&str>, names: &[&str]) {
        let types: Vec<_> = types.iter().map(|kind| (*kind).to_owned()).collect();
        let chosen = Wanted { types: &types, filesystem }.choose(&finished()).unwrap();
        assert_eq!(chosen.iter().map(|image| image.name.as_str()).collect::<Vec<_>>(), names);
    }

    #[test]
    fn images_are_chosen_by_type_and_file_system() {
        check(&[], None, &["s.img", "e.img", "k.bin"]);
        check(&["combined"], None, &["s.img", "e.img"]);
        check(&["combined", "kernel"], Some("ext4"), &["e.img", "k.bin"]);
        let error = Wanted { types: &["factory".to_owned()], filesystem: None }.choose(&finished()).unwrap_err();
        assert!(error.to_string().ends_with("its types: combined, kernel"), "{error}");
    }

    #[test]
    fn an_image_without_a_checksum_is_not_fetched() {
        for sum in [json!(null), json!("abc"), json!("z".repeat(64))] {
            let answer = Answer::new(200, None, &json!({"images": [{"name": "a", "sha256": sum}]}).to_string());
            let error = Wanted { types: &[], filesystem: None }.choose(&answer).unwrap_err();
            assert!(matches!(error, ClientError::NoChecksum(_)));
        }
    }
}
