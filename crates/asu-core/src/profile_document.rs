//! The document of one profile: everything that upstream says about the profile and its target.

use serde_json::{Map, Value};

use crate::{ProfileName, TargetMetadata};

impl TargetMetadata {
    /// The fields of the target, those of the profile, its canonical name as `id`, and `build_at`. The profile may go by
    /// any of its names. Empty for a profile that the target does not have: clients ask every version and skip such.
    pub fn profile_document(&self, name: &ProfileName) -> Map<String, Value> {
        let Some((canonical, profile)) = self.resolve_profile(name).and_then(|name| Some((name, self.profile(name)?)))
        else {
            return Map::new();
        };
        let mut document = self.fields().clone();
        document.extend(profile.fields());
        document.insert("id".to_owned(), canonical.as_str().into());
        document.insert("build_at".to_owned(), self.build_at().into());
        document
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_profile_document_is_that_of_the_profile_by_any_name() {
        let metadata = json!({
            "arch_packages": "mips_24kc",
            "default_packages": ["base-files"],
            "profiles": {
                "8dev_carambola2": {"titles": [{"model": "Carambola2"}], "supported_devices": ["carambola2"]},
                "other": {},
            },
            "source_date_epoch": 1_612_136_917,
            "target": "ath79/generic",
            "version_code": "r1-a",
        });
        let metadata = TargetMetadata::parse(metadata.to_string().as_bytes()).unwrap();
        let carambola = json!({
            "arch_packages": "mips_24kc",
            "default_packages": ["base-files"],
            "source_date_epoch": 1_612_136_917,
            "target": "ath79/generic",
            "version_code": "r1-a",
            "titles": [{"model": "Carambola2"}],
            "supported_devices": ["carambola2"],
            "id": "8dev_carambola2",
            "build_at": "2021-01-31T23:48:37.000000Z",
        });
        for (name, expected) in [
            ("8dev_carambola2", carambola.clone()),
            ("8dev,carambola2", carambola.clone()),
            ("carambola2", carambola),
            ("nonesuch", json!({})),
        ] {
            let document = metadata.profile_document(&ProfileName::parse(name).unwrap());
            assert_eq!(Value::Object(document), expected, "{name}");
        }
    }
}
