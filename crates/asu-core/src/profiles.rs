//! Upstream's profiles.json of a target: what its images hold, and which profiles it has under which names.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value, value::RawValue};

use crate::{
    json_object::FromObject,
    names::{Arch, ProfileName, VersionCode},
    package::PackageSelector,
    target::Target,
    version::Version,
    wire_time::render_build_time,
};

/// A text that is not a profiles.json.
#[derive(Debug, thiserror::Error)]
pub enum ProfilesError {
    /// No JSON object.
    #[error("a profiles.json must be a JSON object")]
    Syntax(#[source] serde_json::Error),
    /// A field without which nothing can be said about the target is missing.
    #[error("a profiles.json must have the field {0:?}")]
    Missing(&'static str),
    /// A field holds something else than it should.
    #[error("a profiles.json cannot have this in its field {field:?}")]
    Invalid {
        /// The field.
        field: String,
        /// What is wrong with it.
        source: serde_json::Error,
    },
}

/// What upstream says about a target in one version.
#[derive(Debug)]
pub struct TargetMetadata {
    /// The target itself.
    pub target: Target,
    /// The version, where the file names it; snapshots name theirs `SNAPSHOT`.
    pub version_number: Option<Version>,
    /// The revision that upstream's files were built from.
    pub version_code: VersionCode,
    /// The architecture of the packages.
    pub arch_packages: Arch,
    /// What every image of the target holds. Upstream's list may hold removals.
    pub default_packages: Vec<PackageSelector>,
    /// The kernel, which names the directory of the kernel modules; older files do not say.
    pub linux_kernel: Option<LinuxKernel>,
    /// Seconds since 1970 at which the sources were last changed.
    pub source_date_epoch: Option<i64>,
    profiles: BTreeMap<ProfileName, Profile>,
    aliases: HashMap<ProfileName, ProfileName>,
    fields: Map<String, Value>,
}

/// The kernel of a target.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct LinuxKernel {
    /// `6.6.110`
    pub version: String,
    /// `1`
    pub release: String,
    /// A digest over the kernel's configuration.
    pub vermagic: String,
}

/// A profile of a target. Its JSON is kept as text, which takes a fifth of the memory of a tree.
#[derive(Debug)]
pub struct Profile {
    /// What the profile adds to the default packages, or removes from them.
    pub device_packages: Vec<PackageSelector>,
    /// Names under which devices know themselves, commas as they were written.
    pub supported_devices: Vec<String>,
    json: Box<RawValue>,
}

impl Profile {
    /// All that upstream says about the profile: images, titles, image_prefix and what else there is.
    pub fn fields(&self) -> Map<String, Value> {
        serde_json::from_str(self.json.get()).expect("the text was read as an object before it was kept")
    }
}

impl TargetMetadata {
    /// Reads a profiles.json. Fields that are unknown here are kept, those that older files lack may be missing.
    ///
    /// # Errors
    /// Not an object; no target, architecture, revision or profiles; or a known field of the wrong type.
    pub fn parse(json: &[u8]) -> Result<Self, ProfilesError> {
        let mut raw: BTreeMap<String, &RawValue> = serde_json::from_slice(json).map_err(ProfilesError::Syntax)?;
        let texts: BTreeMap<ProfileName, &RawValue> = required(&raw, "profiles")?;
        raw.remove("profiles");
        let profiles = texts.into_iter().map(parse_profile).collect::<Result<BTreeMap<_, _>, _>>()?;
        Ok(Self {
            target: required(&raw, "target")?,
            version_number: optional(&raw, "version_number")?,
            version_code: required(&raw, "version_code")?,
            arch_packages: required(&raw, "arch_packages")?,
            default_packages: optional(&raw, "default_packages")?.unwrap_or_default(),
            linux_kernel: optional(&raw, "linux_kernel")?.map(|FromObject(kernel)| kernel),
            source_date_epoch: optional(&raw, "source_date_epoch")?,
            aliases: collect_aliases(&profiles),
            profiles,
            fields: raw.iter().map(|(name, value)| Ok((name.clone(), read(name, value)?))).collect::<Result<_, _>>()?,
        })
    }

    /// The profile that is meant by a name from a request: commas become `_`, then the name itself is looked for, then
    /// the names of supported devices; a target whose only profile is `generic` takes any name for it.
    pub fn resolve_profile(&self, name: &ProfileName) -> Option<&ProfileName> {
        let name = name.with_commas_replaced();
        if let Some((canonical, _)) = self.profiles.get_key_value(&name) {
            return Some(canonical);
        }
        self.aliases.get(&name).or_else(|| self.only_generic_profile())
    }

    /// A profile by its canonical name.
    pub fn profile(&self, canonical: &ProfileName) -> Option<&Profile> {
        self.profiles.get(canonical)
    }

    /// All profiles, sorted by their names.
    pub fn profiles(&self) -> impl Iterator<Item = (&ProfileName, &Profile)> {
        self.profiles.iter()
    }

    /// Everything in the file but `profiles`.
    pub fn fields(&self) -> &Map<String, Value> {
        &self.fields
    }

    /// When upstream's files were built, `2021-01-31T23:48:37.000000Z`.
    pub fn build_at(&self) -> String {
        render_build_time(self.source_date_epoch)
    }

    fn only_generic_profile(&self) -> Option<&ProfileName> {
        let (name, _) = self.profiles.first_key_value()?;
        (self.profiles.len() == 1 && name.as_str() == "generic").then_some(name)
    }
}

/// The part of a profile that is looked at.
#[derive(Deserialize)]
struct KnownFields {
    #[serde(default)]
    device_packages: Vec<PackageSelector>,
    #[serde(default)]
    supported_devices: Vec<String>,
}

fn parse_profile((name, json): (ProfileName, &RawValue)) -> Result<(ProfileName, Profile), ProfilesError> {
    let field = format!("profiles.{name}");
    // What is passed over may hold what no value can be made of, such as `1e999`: it is made once before it is kept.
    let _: Map<String, Value> = read(&field, json)?;
    let KnownFields { device_packages, supported_devices } = read(&field, json)?;
    Ok((name, Profile { device_packages, supported_devices, json: json.to_owned() }))
}

/// Where two profiles support the same device the first by name has it, so that the answer does not change by itself.
fn collect_aliases(profiles: &BTreeMap<ProfileName, Profile>) -> HashMap<ProfileName, ProfileName> {
    let mut aliases = HashMap::new();
    for (name, profile) in profiles {
        for device in profile.supported_devices.iter().filter_map(|device| ProfileName::parse(device).ok()) {
            let alias = device.with_commas_replaced();
            if !profiles.contains_key(&alias) {
                aliases.entry(alias).or_insert_with(|| name.clone());
            }
        }
    }
    aliases
}

fn required<'a, T: Deserialize<'a>>(
    fields: &BTreeMap<String, &'a RawValue>,
    field: &'static str,
) -> Result<T, ProfilesError> {
    read(field, fields.get(field).ok_or(ProfilesError::Missing(field))?)
}

/// `null` says as little as a field that is missing.
fn optional<T: DeserializeOwned>(
    fields: &BTreeMap<String, &RawValue>,
    field: &str,
) -> Result<Option<T>, ProfilesError> {
    fields.get(field).map_or(Ok(None), |value| read(field, value))
}

fn read<'a, T: Deserialize<'a>>(field: &str, json: &'a RawValue) -> Result<T, ProfilesError> {
    serde_json::from_str(json.get()).map_err(|source| ProfilesError::Invalid { field: field.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn name(text: &str) -> ProfileName {
        ProfileName::parse(text).unwrap()
    }

    fn ath79() -> Value {
        json!({
            "arch_packages": "mips_24kc",
            "default_packages": ["base-files", "busybox", "-ppp"],
            "linux_kernel": {"release": "1", "vermagic": "f5b83b57", "version": "6.6.110"},
            "metadata_version": 1,
            "profiles": {
                "8dev_carambola2": {
                    "device_packages": ["kmod-usb2", "-uboot-envtools"],
                    "image_prefix": "openwrt-24.10.4-ath79-generic-8dev_carambola2",
                    "images": [{"name": "a.bin", "sha256": "00", "type": "sysupgrade"}],
                    "supported_devices": ["8dev,carambola2", "carambola2"],
                    "titles": [{"model": "Carambola2", "vendor": "8devices"}]
                },
                "netgear_wndr3700": {"supported_devices": ["netgear,wndr3700", "wndr3700"]},
                "netgear_wndr3700-v2": {"supported_devices": ["netgear,wndr3700-v2", "wndr3700", "8dev,carambola2"]},
                "bare": {}
            },
            "source_date_epoch": 1_612_136_917,
            "target": "ath79/generic",
            "version_code": "r28959-29397011cc",
            "version_number": "24.10.4"
        })
    }

    fn parse(json: &Value) -> Result<TargetMetadata, ProfilesError> {
        TargetMetadata::parse(json.to_string().as_bytes())
    }

    #[test]
    fn everything_in_the_file_is_kept() {
        let metadata = parse(&ath79()).unwrap();
        assert_eq!(metadata.target.as_str(), "ath79/generic");
        assert_eq!(metadata.version_code.as_str(), "r28959-29397011cc");
        assert_eq!(metadata.arch_packages.as_str(), "mips_24kc");
        assert_eq!(metadata.linux_kernel.as_ref().unwrap().vermagic, "f5b83b57");
        assert_eq!(metadata.build_at(), "2021-01-31T23:48:37.000000Z");
        let mut fields = ath79();
        let profiles = fields.as_object_mut().unwrap().remove("profiles").unwrap();
        assert_eq!(Value::Object(metadata.fields().clone()), fields);
        for (name, profile) in metadata.profiles() {
            assert_eq!(Value::Object(profile.fields()), profiles[name.as_str()]);
        }
        let carambola = metadata.profile(&name("8dev_carambola2")).unwrap();
        assert_eq!(carambola.device_packages[1].to_string(), "-uboot-envtools");
    }

    #[test]
    fn a_profile_has_many_names() {
        let metadata = parse(&ath79()).unwrap();
        for (asked, canonical) in [
            ("8dev_carambola2", Some("8dev_carambola2")),
            ("8dev,carambola2", Some("8dev_carambola2")),
            ("carambola2", Some("8dev_carambola2")),
            ("netgear,wndr3700-v2", Some("netgear_wndr3700-v2")),
            ("wndr3700", Some("netgear_wndr3700")),
            ("generic", None),
            ("", None),
        ] {
            let resolved = metadata.resolve_profile(&name(asked)).map(ProfileName::as_str);
            assert_eq!(resolved, canonical, "{asked:?}");
        }
    }

    #[test]
    fn a_target_with_only_a_generic_profile_takes_any_name_for_it() {
        let mut x86 = ath79();
        x86["profiles"] = json!({"generic": {}});
        let resolve = |json: &Value| parse(json).unwrap().resolve_profile(&name("any,thing")).cloned();
        assert_eq!(resolve(&x86), Some(name("generic")));
        x86["profiles"] = json!({"generic": {}, "other": {}});
        assert_eq!(resolve(&x86), None);
        x86["profiles"] = json!({"special": {}});
        assert_eq!(resolve(&x86), None);
        x86["profiles"] = json!({});
        assert_eq!(resolve(&x86), None);
    }

    #[test]
    fn optional_parts_may_be_missing() {
        for field in ["default_packages", "linux_kernel", "source_date_epoch", "version_number", "metadata_version"] {
            let mut json = ath79();
            json.as_object_mut().unwrap().remove(field);
            assert!(parse(&json).is_ok(), "{field}");
            json[field] = Value::Null;
            assert!(parse(&json).is_ok(), "{field}: null");
        }
    }

    #[test]
    fn names_may_be_written_with_escapes() {
        let escaped = ath79().to_string().replace("\"images\"", "\"\\u0069mages\"");
        let metadata = TargetMetadata::parse(escaped.as_bytes()).unwrap();
        let carambola = metadata.profile(&name("8dev_carambola2")).unwrap();
        assert_eq!(Value::Object(carambola.fields()), ath79()["profiles"]["8dev_carambola2"]);
    }

    #[test]
    fn a_profile_whose_fields_no_value_can_be_made_of_is_refused() {
        for value in ["1e999".to_owned(), "\"\\ud800\"".to_owned(), format!("{}{}", "[".repeat(200), "]".repeat(200))] {
            let text = ath79().to_string().replace("\"image_prefix\":", &format!("\"size\":{value},\"image_prefix\":"));
            assert!(matches!(TargetMetadata::parse(text.as_bytes()), Err(ProfilesError::Invalid { .. })), "{value}");
        }
    }

    #[test]
    fn what_is_no_profiles_json_is_refused() {
        for field in ["arch_packages", "profiles", "target", "version_code"] {
            let mut json = ath79();
            json.as_object_mut().unwrap().remove(field);
            assert!(matches!(parse(&json), Err(ProfilesError::Missing(missing)) if missing == field), "{field}");
            json[field] = json!(7);
            assert!(matches!(parse(&json), Err(ProfilesError::Invalid { .. })), "{field}");
        }
        for profiles in
            [json!({"a/b": {}}), json!({"a": []}), json!({"a": 1}), json!({"a": {"device_packages": ["$"]}})]
        {
            let mut json = ath79();
            json["profiles"] = profiles;
            assert!(matches!(parse(&json), Err(ProfilesError::Invalid { .. })), "{json}");
        }
        for text in ["", "<html>", "[]", "null", "{}", "{\"profiles\":{}", "\u{feff}{}"] {
            assert!(TargetMetadata::parse(text.as_bytes()).is_err(), "{text:?}");
        }
        assert!(TargetMetadata::parse(b"\xff\xfe").is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(cut in 0usize..1400, noise in prop::collection::vec(any::<u8>(), 0..8)) {
            let mut bytes = ath79().to_string().into_bytes();
            let _ = TargetMetadata::parse(&noise);
            let start = cut.min(bytes.len());
            let end = (start + noise.len()).min(bytes.len());
            bytes.splice(start..end, noise);
            let _ = TargetMetadata::parse(&bytes);
        }
    }
}
