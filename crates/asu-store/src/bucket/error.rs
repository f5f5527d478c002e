//! What can go wrong between us and a bucket.

use std::{io, path::PathBuf, time::Duration};

/// A request to the bucket, or what was to be sent to it, failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BucketError {
    /// The server says no, or nothing. Its own words, which name their causes themselves.
    #[error("{0}")]
    Request(object_store::Error),
    /// The server takes too long.
    #[error("the bucket does not answer within {} s (s3_lookup_timeout)", limit.as_secs_f32())]
    Slow {
        /// The setting.
        limit: Duration,
    },
    /// A staged file cannot be read.
    #[error("cannot read {}", path.display())]
    Staged {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file has a name that no object can have.
    #[error("{name:?} cannot be the name of an object")]
    Name {
        /// The file.
        name: String,
    },
    /// What lies in the bucket is not what was sent there.
    #[error("{key} is damaged: {found} lies in the bucket where {sent} was sent")]
    Damaged {
        /// The object.
        key: String,
        /// The digest or the length of what is there.
        found: String,
        /// The digest or the length of what should be.
        sent: String,
    },
    /// The settings lead to no bucket.
    #[error("{0}")]
    Settings(String),
}

impl From<object_store::Error> for BucketError {
    fn from(error: object_store::Error) -> Self {
        Self::Request(error)
    }
}

/// To the rest of the store a bucket is a disk that is far away.
impl From<BucketError> for io::Error {
    fn from(error: BucketError) -> Self {
        Self::other(error)
    }
}
