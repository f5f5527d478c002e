//! What a finished build leaves behind: the images' description, or the reason why there are none.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::build_failure::BuildFailure;

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
    /// What the ImageBuilder printed.
    #[serde(flatten)]
    pub log: BuildLog,
    /// The ImageBuilder's profiles.json without `profiles`, and the built profile's own fields, side by side.
    #[serde(flatten)]
    pub metadata: Map<String, Value>,
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
