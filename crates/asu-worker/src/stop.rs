//! Why a build ends without images: by the request's own fault, or because something around it is broken.

use std::{io, sync::Arc};

use asu_core::{BuildFailure, Distro, InvalidImages, MakeInfoError, ProfilesError};
use asu_sandbox::{GetError, PullError, SandboxError};
use asu_store::StoreError;

use crate::{self_made::MakeError, signing::SignError};

/// So often a build is tried again whose failure may be its own fault or that of something around it.
const DOUBTFUL_TRIES: u32 = 2;

/// What ends a build early. Only the first kind is ever stored or told to a client.
#[derive(Debug, Clone)]
pub(crate) enum Stop {
    /// The request cannot succeed however often it is tried.
    Failed(BuildFailure),
    /// It is tried again later. Shared by the builds that waited for the same thing.
    Trouble(Arc<Trouble>),
}

/// Something that is not the request's fault. Its words are for the log.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    /// Podman does not do its work.
    #[error("the container does not work")]
    Engine(#[source] SandboxError),
    /// The container was killed, and not by us.
    #[error("the container was killed by somebody else")]
    Killed,
    /// The service that took the request has other settings than this worker.
    #[error("the settings of this worker have no distribution {0}")]
    UnknownDistro(Distro),
    /// The registry is away.
    #[error("the ImageBuilder image cannot be had")]
    Pull(#[source] PullError),
    /// No registry has the image, and none can be made.
    #[error("no ImageBuilder image can be made")]
    Make(#[source] MakeError),
    /// The images cannot be signed.
    #[error("the images cannot be signed")]
    Sign(#[source] SignError),
    /// The ImageBuilder of a snapshot cannot be fetched.
    #[error("`setup.sh` ended with status {code}")]
    SetUp {
        /// The exit status.
        code: i32,
    },
    /// The ImageBuilder does not work at all.
    #[error("`make info` ended with status {code}: {stderr}")]
    MakeInfo {
        /// The exit status.
        code: i32,
        /// The end of what it said.
        stderr: String,
    },
    /// The ImageBuilder describes itself in words that are unknown here.
    #[error("the ImageBuilder cannot be understood")]
    UnknownInfo(#[source] MakeInfoError),
    /// A limit of builds was reached before anything of the request was run.
    #[error("the ImageBuilder exceeds the limits of a build: {0}")]
    Limit(BuildFailure),
    /// Upstream, the network or the name service is away, or upstream is in the middle of publishing.
    #[error("packages cannot be downloaded: {what}")]
    Download {
        /// The first thing that could not be downloaded.
        what: String,
    },
    /// Upstream is in the middle of publishing, or somebody changes what it sends.
    #[error("the list of packages is not signed as it should be: {repository}")]
    Signature {
        /// Whose list.
        repository: String,
    },
    /// A disk of ours is full.
    #[error("a disk is full")]
    DiskFull,
    /// The images did not come out of the container.
    #[error("the images cannot be fetched from the container")]
    Fetch(#[source] GetError),
    /// What came out of the container is not what was made in it.
    #[error("the images are damaged")]
    Damaged(#[source] Damage),
    /// The images cannot be stored.
    #[error("the images cannot be stored")]
    Store(#[source] StoreError),
}

/// What is wrong with images that came out of a container.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Damage {
    /// The description cannot be read.
    #[error("profiles.json cannot be read")]
    Read(#[source] io::Error),
    /// The description is larger than any real one.
    #[error("profiles.json has {size} bytes")]
    TooLong {
        /// Its size.
        size: u64,
    },
    /// The description is none.
    #[error("profiles.json is not valid")]
    Profiles(#[source] ProfilesError),
    /// The description of the images is none.
    #[error("profiles.json describes no images")]
    Images(#[source] InvalidImages),
    /// The list of what is in the images cannot be written.
    #[error("the list of their contents cannot be written")]
    Sbom(#[source] io::Error),
    /// An image that is described is not there.
    #[error("{name} is missing")]
    Missing {
        /// Its name.
        name: String,
    },
    /// An image is not the one that is described.
    #[error("{name} has another digest than profiles.json says")]
    Digest {
        /// Its name.
        name: String,
    },
}

impl Trouble {
    /// True if the next build would run into it as well, so that none should be taken for now.
    pub(crate) fn is_of_the_engine(&self) -> bool {
        match self {
            Self::Engine(_) | Self::Fetch(GetError::Engine(_) | GetError::Broken(_)) => true,
            Self::Pull(PullError::Engine(_)) => true,
            Self::Make(error) => error.is_of_the_engine(),
            Self::Sign(error) => error.is_of_the_engine(),
            Self::Pull(PullError::NotFound { .. } | PullError::Unavailable { .. })
            | Self::Fetch(GetError::Missing { .. } | GetError::Archive(_) | GetError::Disk { .. })
            | Self::Killed
            | Self::UnknownDistro(_)
            | Self::SetUp { .. }
            | Self::MakeInfo { .. }
            | Self::UnknownInfo(_)
            | Self::Limit(_)
            | Self::Download { .. }
            | Self::Signature { .. }
            | Self::DiskFull
            | Self::Damaged(_)
            | Self::Store(_) => false,
        }
    }
}

impl Stop {
    /// For what may be either: it is tried again some times, and then it is the request that cannot be built.
    pub(crate) fn doubtful(postponed: u32, trouble: Trouble, failure: BuildFailure) -> Self {
        if postponed < DOUBTFUL_TRIES { trouble.into() } else { failure.into() }
    }

    /// What ended a step in which a request has no part: a slow network or a slow machine may be why.
    pub(crate) fn before_the_request(self, postponed: u32) -> Self {
        match self {
            Self::Failed(failure) => Self::doubtful(postponed, Trouble::Limit(failure.clone()), failure),
            Self::Trouble(_) => self,
        }
    }
}

impl From<BuildFailure> for Stop {
    fn from(failure: BuildFailure) -> Self {
        Self::Failed(failure)
    }
}

impl From<Trouble> for Stop {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(Arc::new(trouble))
    }
}

impl From<SandboxError> for Stop {
    fn from(error: SandboxError) -> Self {
        Trouble::Engine(error).into()
    }
}

impl From<MakeError> for Stop {
    fn from(error: MakeError) -> Self {
        Trouble::Make(error).into()
    }
}

impl From<SignError> for Stop {
    fn from(error: SignError) -> Self {
        Trouble::Sign(error).into()
    }
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Trouble::Store(error).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_that_no_request_has_a_part_in_fails_the_build_only_in_the_end() {
        let stopped = |postponed| Stop::from(BuildFailure::NoOutput { seconds: 300 }).before_the_request(postponed);
        for postponed in 0..DOUBTFUL_TRIES {
            assert!(matches!(stopped(postponed), Stop::Trouble(_)), "{postponed}");
        }
        assert!(matches!(stopped(DOUBTFUL_TRIES), Stop::Failed(BuildFailure::NoOutput { seconds: 300 })));
        let trouble = Stop::from(Trouble::DiskFull).before_the_request(DOUBTFUL_TRIES);
        assert!(matches!(trouble, Stop::Trouble(_)), "{trouble:?}");
    }
}
