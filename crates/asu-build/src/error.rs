//! Why this service says no, and what it answers then.

use std::time::Duration;

use asu_intake::{IntakeError, UPSTREAM_RETRY};
use asu_queue::{ClientLimit, QueueError};
use asu_service::ApiError;
use asu_store::StoreError;
use asu_upstream::CatalogError;

/// An answer that is an error.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The request goes no further.
    #[error(transparent)]
    Intake(#[from] IntakeError),
    /// Too many builds wait.
    #[error("server overload, queue contains too many build requests: {length}")]
    QueueFull {
        /// How many.
        length: u64,
    },
    /// The client has had its share.
    #[error("{}", sentence(limit))]
    ClientLimit {
        /// Of what.
        limit: ClientLimit,
        /// When it may have one more, if that is known.
        wait: Option<Duration>,
    },
    /// No such build, or not any more.
    #[error("could not find provided request hash")]
    UnknownBuild,
    /// Too many clients follow logs.
    #[error("too many clients follow the logs of builds, the limit is {limit}")]
    TooManyFollowers {
        /// The limit.
        limit: usize,
    },
    /// No such file in the store.
    #[error("could not find the requested file")]
    UnknownFile,
    /// No such document, and no version or target that could have it.
    #[error("could not find the requested document")]
    UnknownDocument,
    /// Nothing is counted, by the operator's choice.
    #[error("statistics are switched off on this server (server_stats)")]
    StatisticsOff,
    /// A value in the address that cannot be used.
    #[error("{key}: expected {expected}, not {value:?}")]
    Query {
        /// Its key.
        key: &'static str,
        /// What it may be.
        expected: String,
        /// What it is.
        value: String,
    },
    /// The document is not to be had.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// The revision is not to be had.
    #[error(transparent)]
    Revision(#[from] RevisionError),
    /// Redis is away, or holds something that this version cannot read.
    #[error("the build queue is not available, please try again later")]
    Queue(#[from] QueueError),
    /// The store cannot be read.
    #[error("the image store is not available, please try again later")]
    Store(#[from] StoreError),
}

/// Upstream does not have what a document would be about, or cannot be asked. What it does not have is not found.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct DocumentError(pub CatalogError);

/// The same of a revision. A branch that is not served is a bad request: upstream may well have it.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct RevisionError(pub CatalogError);

/// A build takes about a minute: sooner there is hardly room again.
const RETRY_WHEN_FULL: Duration = Duration::from_secs(60);
/// Who asks more often than this for one more build learns nothing new.
const RETRY_WHEN_LIMITED: Duration = Duration::from_secs(5);
/// Followers leave when their builds end.
const RETRY_TO_FOLLOW: Duration = Duration::from_secs(30);
/// The connection to Redis is tried again within seconds.
const RETRY_WHEN_AWAY: Duration = Duration::from_secs(5);

impl From<BuildError> for ApiError {
    fn from(error: BuildError) -> Self {
        let text = error.to_string();
        match error {
            BuildError::Intake(error) => error.into(),
            BuildError::QueueFull { .. } => Self::overloaded(text).with_retry_after(RETRY_WHEN_FULL),
            BuildError::ClientLimit { limit: _, wait } => {
                let wait = wait.unwrap_or(RETRY_WHEN_FULL).max(RETRY_WHEN_LIMITED);
                Self::too_many_requests(text).with_retry_after(wait)
            }
            BuildError::TooManyFollowers { .. } => Self::unavailable(text, RETRY_TO_FOLLOW),
            BuildError::UnknownBuild
            | BuildError::UnknownFile
            | BuildError::UnknownDocument
            | BuildError::StatisticsOff => Self::not_found(text),
            BuildError::Query { .. } => Self::unprocessable(text),
            BuildError::Document(DocumentError(error)) => not_found(&error),
            BuildError::Revision(RevisionError(error @ CatalogError::UnsupportedBranch(_))) => {
                Self::bad_request(error.to_string())
            }
            BuildError::Revision(RevisionError(error)) => not_found(&error),
            BuildError::Queue(error) if error.is_outage() => Self::unavailable(text, RETRY_WHEN_AWAY).caused_by(&error),
            // While servers are being replaced; told as a failure, clients would give up.
            BuildError::Queue(error) if error.is_of_another_version() => {
                Self::unavailable(text, RETRY_WHEN_AWAY).caused_by(&error)
            }
            BuildError::Queue(error) => Self::internal(&error),
            BuildError::Store(error) => Self::unavailable(text, RETRY_WHEN_AWAY).caused_by(&error),
        }
    }
}

fn sentence(limit: &ClientLimit) -> String {
    let what = match limit {
        ClientLimit::PendingJobs(_) => "too many builds for your address are waiting",
        ClientLimit::BuildsPerHour(_) => "too many new builds for your address in the last hour",
    };
    format!("{what} ({limit}), please try again later")
}

fn not_found(error: &CatalogError) -> ApiError {
    match error {
        CatalogError::UnsupportedDistro(_)
        | CatalogError::UnsupportedBranch(_)
        | CatalogError::UnsupportedVersion(_)
        | CatalogError::UnsupportedTarget(_) => ApiError::not_found(error.to_string()),
        CatalogError::Unavailable { .. } => ApiError::unavailable(error.to_string(), UPSTREAM_RETRY).caused_by(error),
    }
}
