//! Why no image can be made: never the fault of a request.

use asu_core::{BadSignature, InvalidUsign};
use asu_sandbox::{CommandFailure, PullError, SandboxError};
use asu_upstream::FetchError;

/// What is wrong with upstream, with what it publishes, or around here.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MakeError {
    /// Upstream is away, or breaks off.
    #[error("cannot fetch {path} from upstream")]
    Upstream {
        /// The file.
        path: String,
        #[source]
        source: FetchError,
    },
    /// Upstream does not have what must be beside something that it has.
    #[error("upstream has no {path}")]
    Missing {
        /// The file.
        path: String,
    },
    /// The signature is none.
    #[error("{path} cannot be understood")]
    Signature {
        /// The file.
        path: String,
        #[source]
        source: InvalidUsign,
    },
    /// The signature does not hold.
    #[error("{path} is not signed with any of imagebuilder_keys")]
    Untrusted {
        /// What should be signed.
        path: String,
        #[source]
        source: BadSignature,
    },
    /// The archive is not the one that was signed for.
    #[error("{path} has another digest than upstream's sha256sums says")]
    Digest {
        /// The archive.
        path: String,
    },
    /// What images are made of is not there.
    #[error("the image of imagebuilder_base cannot be had")]
    Base(#[source] PullError),
    /// The archive cannot be unpacked.
    #[error("`{program}` ended with status {code}: {stderr}")]
    Unpack {
        program: &'static str,
        code: i32,
        /// The end of what it said.
        stderr: String,
    },
    /// Unpacking takes too much.
    #[error("the archive cannot be unpacked")]
    Limit(#[source] CommandFailure),
    /// Podman does not do its work.
    #[error("the container does not work")]
    Engine(#[source] SandboxError),
}

impl MakeError {
    /// True if the next build would run into it as well.
    pub(crate) fn is_of_the_engine(&self) -> bool {
        match self {
            Self::Engine(_) | Self::Base(PullError::Engine(_)) => true,
            Self::Base(PullError::NotFound { .. } | PullError::Unavailable { .. })
            | Self::Upstream { .. }
            | Self::Missing { .. }
            | Self::Signature { .. }
            | Self::Untrusted { .. }
            | Self::Digest { .. }
            | Self::Unpack { .. }
            | Self::Limit(_) => false,
        }
    }
}

impl From<SandboxError> for MakeError {
    fn from(error: SandboxError) -> Self {
        Self::Engine(error)
    }
}
