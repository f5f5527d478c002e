//! What is in the images of a build, as a CycloneDX document. <https://cyclonedx.org/docs/1.6/json/>

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::{BuildRequest, BuildResult, BuiltImage, RequestHash, purl::PackageUrl};

/// A software bill of materials: the images, and every package that is installed in them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Sbom {
    bom_format: &'static str,
    spec_version: &'static str,
    serial_number: String,
    version: u32,
    metadata: Metadata,
    components: Vec<Component>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Metadata {
    timestamp: String,
    tools: Tools,
    component: Component,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Tools {
    components: Vec<Component>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
struct Component {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(rename = "bom-ref", skip_serializing_if = "String::is_empty")]
    reference: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    group: String,
    name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    version: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hashes: Vec<Hash>,
    #[serde(skip_serializing_if = "String::is_empty")]
    purl: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    components: Vec<Component>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Hash {
    alg: &'static str,
    content: String,
}

impl Sbom {
    /// The name of its file beside the images.
    pub const FILE_NAME: &'static str = "bom.cdx.json";

    /// Describes the images of a build as they are stored. `tool` is the program that does so, and its version.
    pub fn of(request_hash: &RequestHash, request: &BuildRequest, result: &BuildResult, tool: (&str, &str)) -> Self {
        let images = result.images();
        let (name, version) = (tool.0.to_owned(), tool.1.to_owned());
        let tool = Component { kind: "application", name, version, ..Component::default() };
        Self {
            bom_format: "CycloneDX",
            spec_version: "1.6",
            serial_number: serial_number(request_hash, &images),
            version: 1,
            metadata: Metadata {
                timestamp: result.build_at.clone(),
                tools: Tools { components: vec![tool] },
                component: describe_firmware(request, result, &images),
            },
            components: describe_packages(request, result),
        }
    }

    /// The document.
    pub fn render(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("texts and lists can be written as JSON");
        text.push('\n');
        text
    }
}

fn describe_firmware(request: &BuildRequest, result: &BuildResult, images: &[BuiltImage]) -> Component {
    let revision = result.text_of("version_code");
    Component {
        kind: "firmware",
        reference: "firmware".to_owned(),
        group: request.distro.to_string(),
        name: request.profile.to_string(),
        version: format!("{} {revision}", request.version).trim().to_owned(),
        components: images.iter().map(describe_image).collect(),
        ..Component::default()
    }
}

fn describe_image(image: &BuiltImage) -> Component {
    Component {
        kind: "file",
        reference: format!("image:{}", image.name),
        name: image.name.clone(),
        hashes: vec![Hash { alg: "SHA-256", content: image.sha256.clone() }],
        ..Component::default()
    }
}

fn describe_packages(request: &BuildRequest, result: &BuildResult) -> Vec<Component> {
    let arch = result.text_of("arch_packages");
    let package = |(name, version): (&String, &String)| {
        let purl = PackageUrl::of_package(request, arch, name, version).to_string();
        let (reference, name, version) = (purl.clone(), name.clone(), version.clone());
        Component { kind: "library", reference, name, version, purl, ..Component::default() }
    };
    result.manifest.iter().map(package).collect()
}

/// The same for the same firmware and for no other: from the name of the build, and from its images, since the next
/// build of a snapshot has other ones. A UUID of version 8, whose bits are the maker's own.
fn serial_number(request_hash: &RequestHash, images: &[BuiltImage]) -> String {
    let mut digest = Sha256::new_with_prefix(b"asu sbom 1\n");
    digest.update(request_hash.as_str());
    for image in images {
        digest.update(format!("\n{} {}", image.sha256, image.name));
    }
    let digest = digest.finalize();
    let mut bytes: [u8; 16] = std::array::from_fn(|place| digest[place]);
    bytes[6] = bytes[6] & 0x0f | 0x80;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = hex::encode(bytes);
    format!("urn:uuid:{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::fixture;

    const DIGEST: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    fn sbom(digest: &str) -> Value {
        let request = fixture::request(r#"{"version": "25.12.0", "target": "x86/64", "profile": "generic"}"#);
        let result = json!({
            "id": "generic", "bin_dir": "d", "build_at": "2021-01-31T23:58:37.000000Z", "build_cmd": [],
            "build_cmd_packages": [], "manifest": {"vim": "9.1-r1", "busybox": "1.36.1-r2"}, "stdout": "", "stderr": "",
            "version_code": "r1-abc", "arch_packages": "x86_64",
            "images": [{"name": "a.img.gz", "sha256": digest, "type": "combined", "filesystem": "ext4"}]
        });
        let result: BuildResult = serde_json::from_value(result).unwrap();
        let sbom = Sbom::of(&RequestHash::of(&request), &request, &result, ("asu-worker", "1.2.3"));
        serde_json::from_str(&sbom.render()).unwrap()
    }

    #[test]
    fn a_bill_lists_every_package_and_every_image() {
        let sbom = sbom(DIGEST);
        assert_eq!((&sbom["bomFormat"], &sbom["specVersion"]), (&json!("CycloneDX"), &json!("1.6")));
        let metadata = json!({
            "timestamp": "2021-01-31T23:58:37.000000Z",
            "tools": {"components": [{"type": "application", "name": "asu-worker", "version": "1.2.3"}]},
            "component": {
                "type": "firmware", "bom-ref": "firmware", "group": "openwrt", "name": "generic",
                "version": "25.12.0 r1-abc",
                "components": [{
                    "type": "file", "bom-ref": "image:a.img.gz", "name": "a.img.gz",
                    "hashes": [{"alg": "SHA-256", "content": DIGEST}]
                }]
            }
        });
        assert_eq!(sbom["metadata"], metadata);
        let purl = "pkg:apk/openwrt/busybox@1.36.1-r2?arch=x86_64&distro=openwrt-25.12.0";
        let busybox = json!({
            "type": "library", "bom-ref": purl, "name": "busybox", "version": "1.36.1-r2", "purl": purl
        });
        assert_eq!(sbom["components"][0], busybox);
        assert_eq!(sbom["components"].as_array().unwrap().len(), 2);
    }

    #[test]
    fn the_same_firmware_has_the_same_number_and_another_has_another() {
        let number = sbom(DIGEST)["serialNumber"].as_str().unwrap().to_owned();
        assert_eq!(sbom(DIGEST)["serialNumber"], number);
        assert_ne!(sbom(&"0".repeat(64))["serialNumber"], number);
        let digits: Vec<_> = number.strip_prefix("urn:uuid:").unwrap().split('-').collect();
        assert_eq!(digits.iter().map(|part| part.len()).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
        assert!(digits[2].starts_with('8') && digits[3].starts_with(['8', '9', 'a', 'b']), "{number}");
    }
}
