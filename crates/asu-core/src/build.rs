//! What a finished build leaves behind: the images' description, or the reason why there are none.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::{
    build_failure::BuildFailure,
    built_profiles::BuiltImage,
    json_object::FromObject,
    provenance::{BuildOrigin, StoredSbom},
};

/// How a build ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BuildOutcome {
    /// The images are stored.
    Done(Box<BuildResult>),
    /// There will be no images.
    Failed(Box<FailedBuild>),
}

/// What the ImageBuilder printed, the end of it where it printed more than is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BuildLog {
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

/// A build whose images are stored; the fields are those of the wire.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BuildResult {
    /// The profile that was built.
    pub id: String,
    /// The directory below `/store` that holds the images.
    pub bin_dir: String,
    /// UTC, from the ImageBuilder's source date, `2021-01-31T23:48:37.000000Z`.
    pub build_at: String,
    /// The command that built the images, as an argument list.
    pub build_cmd: Vec<String>,
    /// The packages of that command.
    pub build_cmd_packages: Vec<String>,
    /// Installed packages with their versions.
    pub manifest: BTreeMap<String, String>,
    /// How and where it was built. Not known of builds of earlier versions of this server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provenance: Option<BuildOrigin>,
    /// The list of what is in the images, beside them. Earlier versions of this server made none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sbom: Option<StoredSbom>,
    /// What the ImageBuilder printed.
    #[serde(flatten)]
    pub log: BuildLog,
    /// The ImageBuilder's profiles.json without `profiles`, and the built profile's own fields, side by side.
    #[serde(flatten)]
    pub metadata: Map<String, Value>,
}

impl BuildResult {
    /// The images as they are stored; none if the metadata does not tell of any.
    pub fn images(&self) -> Vec<BuiltImage> {
        let images: Option<Vec<FromObject<BuiltImage>>> =
            self.metadata.get("images").and_then(|images| Deserialize::deserialize(images).ok());
        images.into_iter().flatten().map(|FromObject(image)| image).collect()
    }

    /// A text of the metadata, empty if it is not there.
    pub(crate) fn text_of(&self, key: &str) -> &str {
        self.metadata.get(key).and_then(Value::as_str).unwrap_or_default()
    }
}

/// A build that failed by the request's own fault.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FailedBuild {
    /// Why.
    pub failure: BuildFailure,
    /// The command that failed, empty if none was run.
    pub build_cmd: Vec<String>,
    /// What the ImageBuilder printed.
    #[serde(flatten)]
    pub log: BuildLog,
}
