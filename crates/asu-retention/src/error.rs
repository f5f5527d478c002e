//! What can go wrong when the store is tidied up.

use asu_queue::QueueError;
use asu_store::StoreError;

/// Nothing more could be done; what was done before is in order.
#[derive(Debug, thiserror::Error)]
pub enum RetentionError {
    /// Without the queue nobody knows what is wanted.
    #[error("cannot tell which images are wanted")]
    Queue(#[from] QueueError),
    /// The store cannot be looked through.
    #[error("cannot tell which images there are")]
    Store(#[from] StoreError),
}
