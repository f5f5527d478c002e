//! What a worker notes of how and where it made images.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How and where a build's images were made, as far as its request and its command do not say so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(title = "BuildOrigin")]
pub struct BuildOrigin {
    /// The ImageBuilder that made the images.
    pub imagebuilder_image: ImageBuilderImage,
    /// Where upstream publishes the files of this version and target.
    #[schema(example = "https://downloads.openwrt.org/releases/24.10.4/targets/ath79/generic")]
    pub upstream_url: String,
    /// The worker that ran it.
    pub worker: BuildWorker,
    /// How long each stage took, in milliseconds, by its name.
    #[schema(example = json!({"container_setup": 412, "validate_manifest": 3120, "building_image": 21844}))]
    pub stage_durations_ms: BTreeMap<String, u64>,
}

/// An ImageBuilder image, down to its content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(title = "ImageBuilderImage")]
pub struct ImageBuilderImage {
    /// The name that the request led to.
    #[schema(example = "ghcr.io/openwrt/imagebuilder:ath79-generic-v24.10.4")]
    pub name: String,
    /// `sha256:` and 64 digits.
    #[schema(example = "sha256:3fad34fa2c39304123cda6b8adc60ee6cee64ed27005f7282a36762882440b62")]
    pub digest: String,
    /// What the digest is of.
    pub digest_of: DigestOf,
}

/// What the digest of an ImageBuilder image is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DigestOf {
    /// The manifest in the registry: anybody can fetch the image by it.
    RegistryManifest,
    /// The configuration of an image that the worker's Podman holds, and no registry.
    LocalImage,
}

/// The worker that built something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(title = "BuildWorker")]
pub struct BuildWorker {
    /// Its name, unique to its process.
    #[schema(example = "build-1-0d9c2a4f")]
    pub name: String,
    /// The version of its program.
    #[schema(example = "0.1.0")]
    pub version: String,
}

/// The list of what is in the images, a file beside them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(title = "StoredSbom")]
pub struct StoredSbom {
    /// The name of the file, CycloneDX as JSON.
    #[schema(example = "bom.cdx.json")]
    pub name: String,
    /// Its SHA-256 digest, 64 digits.
    #[schema(example = "9b2cbdd1a2e0a4b8d5f4f4c6f4b2a7d3c9e1f0a6b5c4d3e2f1a0b9c8d7e6f5a4")]
    pub sha256: String,
}
