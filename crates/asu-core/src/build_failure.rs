//! Why a build failed for good: the request's own fault, told to the client and remembered.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    names::{PackageName, PackageVersion, VersionCode},
    oversize::Oversize,
    repository::RepositoryUrl,
};

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
    /// A repository that the request brings is not allowed here, or not any more.
    RepositoryNotAllowed {
        /// Which.
        repository: RepositoryUrl,
    },
    /// A repository that the request brings cannot be reached, or does not have what its own list says.
    RepositoryUnavailable {
        /// What could not be had of it: a URL, or a line of the package manager.
        what: String,
    },
    /// A repository that the request brings is not signed by a key that the ImageBuilder or the request has.
    RepositoryUntrusted {
        /// Which, as the package manager names it.
        repository: String,
    },
    /// The image does not fit the device.
    TooBig(Oversize),
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
    /// An operator of this server ended it; a request for it is built anew soon.
    Cancelled,
    /// The build ended its worker each time it was tried.
    GaveUp {
        /// How often it was tried.
        attempts: u32,
    },
}

/// Lists each kind once: the match does not compile with a variant that is not in the list, so `KINDS` has all of them.
macro_rules! kinds {
    ($($variant:ident => $kind:literal,)*) => {
        impl BuildFailure {
            /// The name of every kind, in the order of the variants.
            pub const KINDS: &[&str] = &[$($kind),*];

            /// A name for scripts and statistics, `error` in the answer.
            pub fn kind(&self) -> &'static str {
                match self {
                    $(Self::$variant { .. } => $kind,)*
                }
            }
        }
    };
}

kinds! {
    IncorrectVersion => "incorrect_version",
    NotInManifest => "not_in_manifest",
    OtherVersion => "other_version",
    ImpossiblePackages => "impossible_packages",
    RepositoryNotAllowed => "repository_not_allowed",
    RepositoryUnavailable => "repository_unavailable",
    RepositoryUntrusted => "repository_untrusted",
    TooBig => "too_big",
    ImageBuilder => "image_builder",
    ImageNotFound => "image_not_found",
    Setup => "setup",
    NoJson => "no_json",
    ProfileNotFound => "profile_not_found",
    Timeout => "timeout",
    NoOutput => "no_output",
    TooMuchOutput => "too_much_output",
    OutOfMemory => "out_of_memory",
    UnusableImages => "unusable_images",
    Cancelled => "cancelled",
    GaveUp => "gave_up",
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
            Self::RepositoryNotAllowed { repository } => write!(f, "Repository not allowed: {repository}"),
            Self::RepositoryUnavailable { what } => {
                write!(f, "A repository of the request is not available: {what}")
            }
            Self::RepositoryUntrusted { repository } => {
                write!(f, "A repository of the request is not signed by a known key: {repository}")
            }
            // Its text is a part of the contract; what is too big is told by the hint.
            Self::TooBig(_) => f.write_str("Selected packages exceed device storage"),
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
            Self::Cancelled => f.write_str("The build was cancelled by an operator of this server"),
            Self::GaveUp { attempts } => {
                write!(f, "The build was given up after {attempts} attempts, each of which ended its worker")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_is_the_tag_of_the_record() {
        let failures = [
            BuildFailure::TooBig(Oversize::default()),
            BuildFailure::RepositoryUntrusted { repository: "https://r.example/x".to_owned() },
            BuildFailure::NoJson,
            BuildFailure::Timeout { seconds: 600 },
        ];
        for failure in failures {
            let record = serde_json::to_value(&failure).unwrap();
            assert_eq!(record["error"], failure.kind());
            assert!(BuildFailure::KINDS.contains(&failure.kind()));
            assert_eq!(serde_json::from_value::<BuildFailure>(record).unwrap(), failure);
        }
    }

    #[test]
    fn a_record_from_before_sizes_were_told_is_still_read() {
        let failure: BuildFailure = serde_json::from_str(r#"{"error": "too_big"}"#).unwrap();
        assert_eq!(failure, BuildFailure::TooBig(Oversize::default()));
    }
}
