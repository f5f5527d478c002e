//! Why a build failed for good: the request's own fault, told to the client and remembered.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::names::{PackageName, PackageVersion, VersionCode};

/// The outcome of a build that cannot succeed however often it is tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "error", rename_all = "snake_case")]
pub enum BuildFailure {
    /// The ImageBuilder is of another revision than the request insists on.
    IncorrectVersion {
        /// What the ImageBuilder said.
        built: VersionCode,
        /// What the request said.
        requested: VersionCode,
    },
    /// A pinned package did not end up in the manifest.
    NotInManifest {
        /// The pinned package.
        package: PackageName,
    },
    /// A pinned package is installed in another version.
    OtherVersion {
        /// The pinned package.
        package: PackageName,
        /// The version that the request pins.
        requested: PackageVersion,
        /// The version in the manifest.
        built: PackageVersion,
    },
    /// The package manager found no way to install the packages.
    ImpossiblePackages {
        /// Packages that do not exist or cannot be installed, sorted.
        missing: Vec<String>,
        /// Packages that exclude each other, sorted.
        conflicts: Vec<String>,
    },
    /// The image does not fit the device.
    TooBig,
    /// `make manifest` or `make image` failed in a way that names no package.
    ImageBuilder,
    /// No ImageBuilder image exists for this version and target.
    ImageNotFound {
        /// The name of the image that was looked for.
        image: String,
    },
    /// The ImageBuilder could not be set up (`setup.sh` failed).
    Setup {
        /// The exit status of the set-up.
        returncode: i64,
    },
    /// The ImageBuilder wrote no profiles.json.
    NoJson,
    /// The profiles.json does not hold the requested profile.
    ProfileNotFound,
    /// The build took longer than the server allows.
    Timeout {
        /// The limit, in seconds.
        seconds: u64,
    },
    /// The build printed nothing for longer than the server allows.
    NoOutput {
        /// The limit, in seconds.
        seconds: u64,
    },
    /// The build printed more than the server allows.
    TooMuchOutput {
        /// The limit, in bytes.
        bytes: u64,
    },
    /// The build used more memory than the server allows.
    OutOfMemory,
    /// The images are larger than the server allows, or of a kind that it does not store.
    UnusableImages {
        /// What was wrong, in words for the client.
        reason: String,
    },
    /// The build ended its worker each time it was tried.
    GaveUp {
        /// How often it was tried.
        attempts: u32,
    },
}

impl BuildFailure {
    /// A name for scripts and statistics, `error` in the answer.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::IncorrectVersion { .. } => "incorrect_version",
            Self::NotInManifest { .. } => "not_in_manifest",
            Self::OtherVersion { .. } => "other_version",
            Self::ImpossiblePackages { .. } => "impossible_packages",
            Self::TooBig => "too_big",
            Self::ImageBuilder => "image_builder",
            Self::ImageNotFound { .. } => "image_not_found",
            Self::Setup { .. } => "setup",
            Self::NoJson => "no_json",
            Self::ProfileNotFound => "profile_not_found",
            Self::Timeout { .. } => "timeout",
            Self::NoOutput { .. } => "no_output",
            Self::TooMuchOutput { .. } => "too_much_output",
            Self::OutOfMemory => "out_of_memory",
            Self::UnusableImages { .. } => "unusable_images",
            Self::GaveUp { .. } => "gave_up",
        }
    }
}

/// The text of `detail`: clients and people's searches know the first ones to the letter.
impl fmt::Display for BuildFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Error: ")?;
        match self {
            Self::IncorrectVersion { built, requested } => {
                write!(f, "Received incorrect version {built} (requested {requested})")
            }
            Self::NotInManifest { package } => {
                write!(f, "Impossible package selection: {package} not in manifest")
            }
            Self::OtherVersion { package, requested, built } => {
                write!(f, "Impossible package selection: {package} version not as requested: {requested} vs. {built}")
            }
            Self::ImpossiblePackages { missing, conflicts } => {
                f.write_str("Impossible package selection:")?;
                for (what, names) in [("missing", missing), ("conflicts", conflicts)] {
                    if !names.is_empty() {
                        write!(f, " {what} ({})", names.join(", "))?;
                    }
                }
                Ok(())
            }
            Self::TooBig => f.write_str("Selected packages exceed device storage"),
            Self::ImageBuilder => f.write_str("Error while building firmware. See stdout/stderr"),
            Self::ImageNotFound { image } => write!(
                f,
                "Image not found: {image}. If this version was just released, please try again in a few hours \
                 as it may take some time to become fully available."
            ),
            Self::Setup { returncode } => write!(f, "Could not set up ImageBuilder (returncode={returncode})"),
            Self::NoJson => f.write_str("No JSON file found"),
            Self::ProfileNotFound => f.write_str("Profile not found in JSON file"),
            Self::Timeout { seconds } => {
                write!(f, "The build was stopped after {seconds} seconds, the longest this server allows")
            }
            Self::NoOutput { seconds } => {
                write!(f, "The build was stopped after {seconds} seconds without any output")
            }
            Self::TooMuchOutput { bytes } => {
                write!(f, "The build was stopped after it had printed {bytes} bytes, the most this server allows")
            }
            Self::OutOfMemory => f.write_str("The build needed more memory than this server allows"),
            Self::UnusableImages { reason } => write!(f, "The images could not be stored: {reason}"),
            Self::GaveUp { attempts } => {
                write!(f, "The build was given up after {attempts} attempts, each of which ended its worker")
            }
        }
    }
}
