//! What can go wrong with the queue itself.

use std::time::Duration;

use asu_core::RequestHash;
use redis::{ErrorKind, RedisError, ServerErrorKind};

use crate::queued_build::UnreadableBuild;

/// The queue could not do what was asked. Except for [`QueueError::Config`] nothing is wrong with the caller.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QueueError {
    /// The settings cannot be used.
    #[error("cannot use the settings of the queue")]
    Config(#[source] crate::ConfigError),
    /// `redis_url` is no URL of a Redis server.
    #[error("redis_url does not name a Redis server")]
    Url(#[source] RedisError),
    /// Redis is away, starts, or hangs. It may or may not have done what was asked; asking again is safe.
    #[error("cannot {action}")]
    Unavailable {
        /// What was asked.
        action: &'static str,
        /// Why there was no answer.
        source: NoAnswer,
    },
    /// Redis is there but refuses: out of memory, read-only, no permission, disk full.
    #[error("cannot {action}")]
    Refused {
        /// What was asked.
        action: &'static str,
        /// What Redis says.
        source: RedisError,
    },
    /// Redis answered with something that our scripts never answer.
    #[error("cannot {action}: Redis gave an unexpected answer")]
    Unexpected {
        /// What was asked.
        action: &'static str,
    },
    /// The record is in a state that this version does not know; a newer one wrote it.
    #[error("build {request_hash} is in the unknown state {state:?}")]
    UnknownState {
        /// The build.
        request_hash: RequestHash,
        /// The state.
        state: String,
    },
    /// The record holds a request or an outcome that this version cannot read.
    #[error("cannot read the record of build {request_hash}")]
    Unreadable {
        /// The build.
        request_hash: RequestHash,
        /// What is wrong with it.
        source: UnreadableBuild,
    },
    /// A task of the queue panicked.
    #[error("the task that takes builds panicked")]
    Panicked(#[source] tokio::task::JoinError),
}

/// Why Redis did not answer.
#[derive(Debug, thiserror::Error)]
pub enum NoAnswer {
    /// It took too long, connecting included.
    #[error("Redis did not answer within {limit:?}")]
    TooSlow {
        /// What it had.
        limit: Duration,
        /// What went wrong before, in the tries that the time was enough for.
        #[source]
        source: Option<RedisError>,
    },
    /// The connection broke, or Redis is not ready to answer.
    #[error("Redis is not available")]
    Broken(#[source] RedisError),
}

impl QueueError {
    /// True if the same call may work later: Redis is away or refuses for now.
    pub fn is_outage(&self) -> bool {
        match self {
            Self::Unavailable { .. } | Self::Refused { .. } => true,
            Self::Config(_)
            | Self::Url(_)
            | Self::Unexpected { .. }
            | Self::UnknownState { .. }
            | Self::Unreadable { .. }
            | Self::Panicked(_) => false,
        }
    }

    /// True if another version of the server wrote what was read: a process of that version can answer.
    pub fn is_of_another_version(&self) -> bool {
        match self {
            Self::UnknownState { .. } | Self::Unreadable { .. } => true,
            Self::Unavailable { .. }
            | Self::Refused { .. }
            | Self::Config(_)
            | Self::Url(_)
            | Self::Unexpected { .. }
            | Self::Panicked(_) => false,
        }
    }

    pub(crate) fn from_redis(action: &'static str, source: RedisError) -> Self {
        if is_absence(&source) {
            Self::Unavailable { action, source: NoAnswer::Broken(source) }
        } else if source.kind() == ErrorKind::UnexpectedReturnType {
            Self::Unexpected { action }
        } else {
            Self::Refused { action, source }
        }
    }
}

/// True if the server is not there to decide anything.
pub(crate) fn is_absence(error: &RedisError) -> bool {
    let starting = [ServerErrorKind::BusyLoading, ServerErrorKind::MasterDown, ServerErrorKind::TryAgain];
    error.is_io_error()
        || error.is_connection_dropped()
        || error.is_timeout()
        || starting.into_iter().any(|kind| error.kind() == ErrorKind::Server(kind))
}

/// The error and its causes in one line, for logs. Some libraries repeat a cause in the text of its effect.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source()).map(ToString::to_string);
    causes.fold(error.to_string(), |text, cause| if text.contains(&cause) { text } else { format!("{text}: {cause}") })
}
