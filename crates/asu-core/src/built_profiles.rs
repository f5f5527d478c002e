//! The profiles.json that an ImageBuilder wrote: what it built, and the digests of the images.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{
    json_object::FromObject,
    names::{ProfileName, VersionCode},
    profiles::ProfilesError,
    wire_time::render_build_time,
};

/// What an ImageBuilder says about the images it made. It comes out of a container that ran a client's packages, and
/// is trusted no further than any input.
#[derive(Debug, Clone, PartialEq)]
pub struct BuiltProfiles {
    version_code: VersionCode,
    source_date_epoch: Option<i64>,
    fields: Map<String, Value>,
    profiles: BTreeMap<String, Map<String, Value>>,
}

/// An image as profiles.json describes it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct BuiltImage {
    /// The name of its file: one step of a path, never `.` or `..`.
    pub name: String,
    /// Its digest, 64 lower-case hexadecimal digits.
    pub sha256: String,
    /// `sysupgrade`, `factory`, `combined` …
    #[serde(rename = "type", default)]
    pub kind: String,
    /// Its root filesystem; kernels have none.
    #[serde(default)]
    pub filesystem: Option<String>,
}

/// Images of a profile that cannot be what an ImageBuilder made.
#[derive(Debug, thiserror::Error)]
pub enum InvalidImages {
    /// `images` is missing or of another form.
    #[error("the profile's images are not a list of names and digests")]
    Form(#[source] serde_json::Error),
    /// A name that is not the name of a file.
    #[error("{0:?} cannot be the name of an image")]
    Name(String),
    /// A digest that is none.
    #[error("{sha256:?} cannot be the SHA-256 digest of {name}")]
    Digest {
        /// The image.
        name: String,
        /// What stands where its digest should be.
        sha256: String,
    },
}

/// The fields of the file that are looked at.
#[derive(Deserialize)]
struct KnownFields {
    version_code: VersionCode,
    #[serde(default)]
    source_date_epoch: Option<i64>,
    profiles: BTreeMap<String, Map<String, Value>>,
}

impl BuiltProfiles {
    /// Reads the profiles.json of a build.
    ///
    /// # Errors
    /// Not an object, or one without a revision or profiles.
    pub fn parse(json: &[u8]) -> Result<Self, ProfilesError> {
        let mut fields: Map<String, Value> = serde_json::from_slice(json).map_err(ProfilesError::Syntax)?;
        for field in ["version_code", "profiles"] {
            if !fields.contains_key(field) {
                return Err(ProfilesError::Missing(field));
            }
        }
        let KnownFields { version_code, source_date_epoch, profiles } = KnownFields::deserialize(&fields)
            .map_err(|source| ProfilesError::Invalid { field: "version_code, profiles".to_owned(), source })?;
        fields.shift_remove("profiles");
        Ok(Self { version_code, source_date_epoch, fields, profiles })
    }

    /// The revision that was built.
    pub fn version_code(&self) -> &VersionCode {
        &self.version_code
    }

    /// UTC, from the ImageBuilder's source date, `2021-01-31T23:48:37.000000Z`.
    pub fn build_at(&self) -> String {
        render_build_time(self.source_date_epoch)
    }

    /// The file without `profiles`, and the profile's own fields, side by side; the profile's win.
    /// None if the profile was not built.
    pub fn metadata(&self, profile: &ProfileName) -> Option<Map<String, Value>> {
        let own = self.profiles.get(profile.as_str())?;
        let mut metadata = self.fields.clone();
        metadata.extend(own.clone());
        Some(metadata)
    }

    /// The images of a profile; none if it was not built.
    ///
    /// # Errors
    /// An image without a usable name or digest.
    pub fn images(&self, profile: &ProfileName) -> Result<Vec<BuiltImage>, InvalidImages> {
        let Some(own) = self.profiles.get(profile.as_str()) else { return Ok(Vec::new()) };
        let images = own.get("images").unwrap_or(&Value::Null);
        let images: Vec<FromObject<BuiltImage>> = Deserialize::deserialize(images).map_err(InvalidImages::Form)?;
        images.into_iter().map(|FromObject(image)| validate_image(image)).collect()
    }

    /// Notes the digests of images that were signed, by name; what was known of them becomes `sha256_unsigned`.
    pub fn note_signed(&mut self, profile: &ProfileName, digests: &BTreeMap<String, String>) {
        let images = self.profiles.get_mut(profile.as_str()).and_then(|own| own.get_mut("images"));
        for image in images.and_then(Value::as_array_mut).into_iter().flatten().filter_map(Value::as_object_mut) {
            let signed = image.get("name").and_then(Value::as_str).and_then(|name| digests.get(name));
            let Some(signed) = signed.map(|digest| Value::from(digest.as_str())) else { continue };
            let unsigned = image.insert("sha256".to_owned(), signed);
            image.extend(unsigned.map(|digest| ("sha256_unsigned".to_owned(), digest)));
        }
    }

    /// The file as the ImageBuilder would write it.
    pub fn render(&self) -> String {
        let profiles = self.profiles.iter().map(|(name, own)| (name.clone(), Value::Object(own.clone()))).collect();
        let mut file = self.fields.clone();
        file.insert("profiles".to_owned(), Value::Object(profiles));
        Value::Object(file).to_string()
    }
}

fn validate_image(image: BuiltImage) -> Result<BuiltImage, InvalidImages> {
    let name = image.name.as_str();
    if matches!(name, "" | "." | "..")
        || name.len() > 255
        || name.contains(['/', '\\'])
        || name.contains(char::is_control)
    {
        return Err(InvalidImages::Name(image.name));
    }
    let is_digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    if image.sha256.len() != 64 || !image.sha256.bytes().all(is_digit) {
        return Err(InvalidImages::Digest { name: image.name, sha256: image.sha256 });
    }
    Ok(image)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn built() -> Value {
        json!({
            "arch_packages": "x86_64",
            "default_packages": ["base-files"],
            "profiles": {
                "generic": {
                    "id": "generic",
                    "images": [
                        {"filesystem": "ext4", "name": "a-ext4-combined.img.gz", "sha256": "0".repeat(64), "type": "combined"},
                        {"name": "a-kernel.bin", "sha256": "f".repeat(64), "type": "kernel"}
                    ],
                    "titles": [{"model": "x86/64", "vendor": "Generic"}]
                }
            },
            "source_date_epoch": 1_612_136_917,
            "target": "x86/64",
            "version_code": "r24106-10cc5fcd00",
            "version_number": "23.05.5"
        })
    }

    fn parse(json: &Value) -> BuiltProfiles {
        BuiltProfiles::parse(json.to_string().as_bytes()).unwrap()
    }

    fn name(text: &str) -> ProfileName {
        ProfileName::parse(text).unwrap()
    }

    #[test]
    fn the_file_and_the_profile_stand_side_by_side() {
        let json = built();
        let profiles = parse(&json);
        let metadata = profiles.metadata(&name("generic")).unwrap();
        assert_eq!(metadata["titles"], json["profiles"]["generic"]["titles"]);
        assert_eq!(metadata["version_number"], "23.05.5");
        assert!(!metadata.contains_key("profiles"));
        assert_eq!(profiles.version_code().as_str(), "r24106-10cc5fcd00");
        assert_eq!(profiles.build_at(), "2021-01-31T23:48:37.000000Z");
        assert_eq!(profiles.metadata(&name("other")), None);
    }

    #[test]
    fn images_have_names_and_digests() {
        let images = parse(&built()).images(&name("generic")).unwrap();
        assert_eq!(images[0].filesystem.as_deref(), Some("ext4"));
        assert_eq!((images[1].name.as_str(), images[1].kind.as_str()), ("a-kernel.bin", "kernel"));
        assert!(parse(&built()).images(&name("other")).unwrap().is_empty());
    }

    #[test]
    fn images_with_hostile_names_or_without_digests_are_refused() {
        for (field, value) in [
            ("name", json!("../../etc/passwd")),
            ("name", json!("a/b")),
            ("name", json!("..")),
            ("name", json!("")),
            ("name", json!("a\u{0}b")),
            ("name", json!("x".repeat(256))),
            ("name", json!(7)),
            ("sha256", json!("00")),
            ("sha256", json!("F".repeat(64))),
            ("sha256", json!(null)),
        ] {
            let mut json = built();
            json["profiles"]["generic"]["images"][1][field] = value.clone();
            assert!(parse(&json).images(&name("generic")).is_err(), "{field} {value}");
        }
        let mut json = built();
        json["profiles"]["generic"].as_object_mut().unwrap().remove("images");
        assert!(matches!(parse(&json).images(&name("generic")), Err(InvalidImages::Form(_))));
    }

    #[test]
    fn what_is_no_profiles_json_is_refused() {
        for text in ["", "[]", "{}", r#"{"version_code":"r1"}"#, r#"{"version_code":1,"profiles":{}}"#] {
            assert!(BuiltProfiles::parse(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn a_signed_image_has_both_digests() {
        let mut profiles = BuiltProfiles::parse(built().to_string().as_bytes()).unwrap();
        assert_eq!(BuiltProfiles::parse(profiles.render().as_bytes()).unwrap(), profiles);
        let digests = BTreeMap::from([("a-ext4-combined.img.gz".to_owned(), "1".repeat(64))]);
        profiles.note_signed(&name("generic"), &digests);
        profiles.note_signed(&name("other"), &digests);
        let mut expected = built();
        expected["profiles"]["generic"]["images"][0]["sha256"] = "1".repeat(64).into();
        expected["profiles"]["generic"]["images"][0]["sha256_unsigned"] = "0".repeat(64).into();
        assert_eq!(serde_json::from_str::<Value>(&profiles.render()).unwrap(), expected);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(cut in 0usize..700, noise in prop::collection::vec(any::<u8>(), 0..8)) {
            let mut bytes = built().to_string().into_bytes();
            let start = cut.min(bytes.len());
            let end = (start + noise.len()).min(bytes.len());
            bytes.splice(start..end, noise);
            if let Ok(profiles) = BuiltProfiles::parse(&bytes) {
                let _ = profiles.images(&name("generic"));
            }
        }
    }
}
