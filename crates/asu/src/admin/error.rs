//! Why an operator's command could not be run.

use asu_config::SettingsError;
use asu_queue::QueueError;
use asu_retention::RetentionError;
use asu_store::StoreError;

/// What is in the way; none of it is about the build that the command names.
#[derive(Debug, thiserror::Error)]
pub(super) enum AdminError {
    /// The settings cannot be used.
    #[error("the settings cannot be used")]
    Settings(#[from] SettingsError),
    /// There is no directory for a private Redis.
    #[error("the private Redis cannot be found")]
    PrivateRedis(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Redis is away.
    #[error("the queue does not answer")]
    Queue(#[from] QueueError),
    /// The store cannot be read.
    #[error("the store does not answer")]
    Store(#[from] StoreError),
    /// One of the two.
    #[error("the queue and the store cannot be compared")]
    Retention(#[from] RetentionError),
}
