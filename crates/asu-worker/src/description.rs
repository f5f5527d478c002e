//! What is told of finished images, and whether they are the ones that were made.

use std::collections::BTreeMap;

use asu_core::{BuildLog, BuildRequest, BuildResult, BuiltImage, BuiltProfiles, Manifest, PackageSelector};
use asu_sandbox::ExtractedFile;
use asu_store::BinDir;
use serde_json::{Map, Value};

use crate::stop::Damage;

/// Keys of an answer that are ours. The rest comes from a file that was written next to a client's packages.
const OURS: [&str; 17] = [
    "id",
    "bin_dir",
    "build_at",
    "build_cmd",
    "build_cmd_packages",
    "manifest",
    "provenance",
    "sbom",
    "stdout",
    "stderr",
    "status",
    "detail",
    "request",
    "request_hash",
    "imagebuilder_status",
    "enqueued_at",
    "queue_position",
];

/// How a build came to its images.
#[derive(Debug)]
pub(crate) struct Making {
    /// The command that made them.
    pub(crate) command: Vec<String>,
    /// The packages of that command.
    pub(crate) packages: Vec<PackageSelector>,
    /// What is installed in them.
    pub(crate) manifest: Manifest,
    /// What the command printed.
    pub(crate) log: BuildLog,
}

/// What clients are told; none if the profile was not built.
pub(crate) fn describe(
    request: &BuildRequest,
    bin_dir: &BinDir,
    profiles: &BuiltProfiles,
    making: Making,
) -> Option<BuildResult> {
    Some(BuildResult {
        id: request.profile.to_string(),
        bin_dir: bin_dir.to_string(),
        build_at: profiles.build_at(),
        build_cmd: making.command,
        build_cmd_packages: making.packages.iter().map(ToString::to_string).collect(),
        manifest: making.manifest.into_packages(),
        provenance: None,
        sbom: None,
        log: making.log,
        metadata: without_ours(profiles.metadata(&request.profile)?),
    })
}

pub(crate) fn without_ours(mut metadata: Map<String, Value>) -> Map<String, Value> {
    metadata.retain(|key, _| !OURS.contains(&key.as_str()));
    metadata
}

/// Compares what came out of the container with what profiles.json says was made.
pub(crate) fn verify_images(images: &[BuiltImage], files: &[ExtractedFile]) -> Result<(), Damage> {
    let digests: BTreeMap<&str, &str> = files.iter().map(|file| (file.path.as_str(), file.sha256.as_str())).collect();
    for BuiltImage { name, sha256, .. } in images {
        match digests.get(name.as_str()) {
            Some(digest) if digest == sha256 => {}
            Some(_) => return Err(Damage::Digest { name: name.clone() }),
            None => return Err(Damage::Missing { name: name.clone() }),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{request, request_hash};

    const DIGEST: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    fn profiles() -> BuiltProfiles {
        let json = format!(
            r#"{{"version_code": "r1-abc", "source_date_epoch": 1612137517, "target": "ath79/generic", "status": 500,
            "profiles": {{"8dev_carambola2": {{"titles": [], "stdout": "evil", "sbom": {{}}, "provenance": {{"worker": 1}},
            "images": [{{"name": "a.bin", "sha256": "{DIGEST}", "type": "sysupgrade"}}]}}}}}}"#
        );
        BuiltProfiles::parse(json.as_bytes()).unwrap()
    }

    fn making() -> Making {
        Making {
            command: vec!["make".to_owned()],
            packages: request().packages,
            manifest: Manifest::parse("vim - 9.0"),
            log: BuildLog::default(),
        }
    }

    #[test]
    fn a_result_says_what_was_built_and_how() {
        let bin_dir = BinDir::new(request_hash().as_str(), "0123456789abcdef").unwrap();
        let result = describe(&request(), &bin_dir, &profiles(), making()).unwrap();
        assert_eq!(result.build_at, "2021-01-31T23:58:37.000000Z");
        assert_eq!(result.build_cmd_packages, ["vim", "-dropbear"]);
        assert_eq!(result.metadata["target"], "ath79/generic");
        assert!(result.bin_dir.ends_with("-0123456789ab"));
        let mut other = request();
        other.profile = asu_core::ProfileName::parse("generic").unwrap();
        assert_eq!(describe(&other, &bin_dir, &profiles(), making()), None);
    }

    #[test]
    fn a_hostile_description_cannot_replace_what_is_ours() {
        let bin_dir = BinDir::new(request_hash().as_str(), "0123456789abcdef").unwrap();
        let result = describe(&request(), &bin_dir, &profiles(), making()).unwrap();
        assert!(!result.metadata.contains_key("status") && !result.metadata.contains_key("stdout"));
        assert!(!result.metadata.contains_key("sbom") && !result.metadata.contains_key("provenance"));
        let json = serde_json::to_string(&result).unwrap();
        assert_eq!(serde_json::from_str::<BuildResult>(&json).unwrap(), result);
    }

    #[test]
    fn images_must_be_those_that_were_made() {
        let images = profiles().images(&request().profile).unwrap();
        let file =
            |path: &str, sha256: &str| ExtractedFile { path: path.to_owned(), size: 1, sha256: sha256.to_owned() };
        assert!(verify_images(&images, &[file("a.bin", DIGEST), file("b", "")]).is_ok());
        assert!(matches!(verify_images(&images, &[file("a.bin", "00")]), Err(Damage::Digest { .. })));
        assert!(matches!(verify_images(&images, &[file("x/a.bin", DIGEST)]), Err(Damage::Missing { .. })));
    }
}
