//! Why images cannot be signed: never the fault of a request.

use std::io;

use asu_core::{BadSignature, BuildFailure, InvalidUsign, ProfilesError};
use asu_sandbox::{GetError, SandboxError};

/// What is wrong with the tools, with what they made, or around here.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SignError {
    /// A tool says that it cannot.
    #[error("`{program}` ended with status {code}: {stderr}")]
    Tool {
        /// Its name.
        program: &'static str,
        /// The exit status.
        code: i32,
        /// The end of what it said.
        stderr: String,
    },
    /// A tool takes too much.
    #[error("the tools exceed the limits of a build: {0}")]
    Limit(BuildFailure),
    /// Podman does not do its work.
    #[error("the container of the tools does not work")]
    Engine(#[source] SandboxError),
    /// The signed images do not come out of the container.
    #[error("the signed images cannot be fetched from the container")]
    Fetch(#[source] GetError),
    /// What came out is not what went in with a signature.
    #[error("{name} came out wrong")]
    Unsigned {
        /// The image.
        name: String,
        #[source]
        source: Unsigned,
    },
    /// The store's disk.
    #[error("cannot read or write the images")]
    Disk(#[source] io::Error),
    /// What describes the images has changed since it was read.
    #[error("profiles.json is not valid any more")]
    Profiles(#[source] ProfilesError),
}

/// What is wrong with an image that should be signed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unsigned {
    /// It did not come out at all.
    #[error("it is missing")]
    Missing,
    /// There is no signature at its end.
    #[error("it does not end with a signature")]
    NoSignature,
    /// The checksum of the end.
    #[error("its checksum is wrong")]
    Checksum,
    /// What is signed is another image.
    #[error("what is signed is not the image")]
    Changed,
    /// The signature does not come with the certificate of the key.
    #[error("its signature does not come with our certificate")]
    Certificate,
    /// The signature is none.
    #[error("its signature cannot be understood")]
    Signature(#[source] InvalidUsign),
    /// The signature does not hold.
    #[error("its signature does not hold")]
    Wrong(#[source] BadSignature),
}

impl SignError {
    /// True if the next build would run into it as well.
    pub(crate) fn is_of_the_engine(&self) -> bool {
        match self {
            Self::Engine(_) | Self::Fetch(GetError::Engine(_) | GetError::Broken(_)) => true,
            Self::Fetch(GetError::Missing { .. } | GetError::Archive(_) | GetError::Disk { .. })
            | Self::Tool { .. }
            | Self::Limit(_)
            | Self::Unsigned { .. }
            | Self::Disk(_)
            | Self::Profiles(_) => false,
        }
    }
}

impl From<SandboxError> for SignError {
    fn from(error: SandboxError) -> Self {
        Self::Engine(error)
    }
}
