//! The list of stored images: which there are, and whether a record still has them.

use asu_core::RequestHash;
use redis::cmd;

use crate::{AttemptId, Queue, QueueError, UnixMillis, reply::Reply, scripts};

/// So many are asked about at a time, so that no script holds Redis up for long.
const MOST: usize = 500;

/// What the queue knows of images that are stored under a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoredState {
    /// A finished build has them.
    Kept {
        /// When it ended.
        finished_at: UnixMillis,
        /// Their bytes, as the worker counted them; `None` if an older worker did not.
        size: Option<u64>,
    },
    /// The attempt that made them, or is about to, holds its build: it may report them at any moment.
    Reporting,
    /// No record has them, or ever will.
    Unwanted,
}

impl Queue {
    /// The names under which images are stored, by the time their builds ended, oldest first. The record of some may be
    /// gone, and so may the images. Builds that ended before there was such a list are not on it before
    /// [`Queue::stored_states`] is asked about them.
    ///
    /// # Errors
    /// Redis is away or refuses.
    pub async fn stored(&self) -> Result<Vec<String>, QueueError> {
        let mut command = cmd("ZRANGE");
        command.arg(self.shared.keys.stored()).arg(0).arg(-1);
        self.shared.connection.command("list the stored images", &command).await
    }

    /// What is known of images by the names under which they are stored, in the order of the names.
    ///
    /// # Errors
    /// Redis is away or refuses.
    pub async fn stored_states(&self, names: &[&str]) -> Result<Vec<StoredState>, QueueError> {
        let mut states = Vec::with_capacity(names.len());
        for some in names.chunks(MOST) {
            let keys = self.shared.keys.of_all();
            let mut reply = self.ask("look up stored images", &scripts::STORED, keys, some).await?;
            for _ in some {
                states.push(StoredState::read(&mut reply)?);
            }
        }
        Ok(states)
    }

    /// Drops the record that has these images, so that they may be deleted: from now on nobody is told of them, and a
    /// request for them is built anew. False if they are about to be reported, and so must stay.
    ///
    /// # Errors
    /// Redis is away or refuses.
    pub async fn evict(&self, request_hash: &RequestHash, name: &str) -> Result<bool, QueueError> {
        let keys = self.shared.keys.of(request_hash);
        Ok(self.ask("drop the record of stored images", &scripts::EVICT, keys, &[name]).await?.text()? == "gone")
    }

    /// Takes images that were deleted off the list.
    ///
    /// # Errors
    /// Redis is away or refuses.
    pub async fn unlist(&self, request_hash: &RequestHash, name: &str) -> Result<(), QueueError> {
        let keys = self.shared.keys.of(request_hash);
        self.ask("strike off stored images", &scripts::UNLIST, keys, &[name]).await.map(drop)
    }
}

impl StoredState {
    fn read(reply: &mut Reply) -> Result<Self, QueueError> {
        let (state, finished_at, size) = (reply.text()?, reply.text()?, reply.text()?);
        match state.as_str() {
            "done" => match finished_at.parse() {
                Ok(millis) => Ok(Self::Kept { finished_at: UnixMillis::new(millis), size: size.parse().ok() }),
                Err(_) => reply.unexpected(),
            },
            "running" => Ok(Self::Reporting),
            "gone" => Ok(Self::Unwanted),
            _ => reply.unexpected(),
        }
    }
}

/// The name under which the images of an attempt are stored: what the scripts take for it.
pub(crate) fn stored_name(request_hash: &RequestHash, attempt: &AttemptId) -> String {
    format!("{request_hash}-{}", attempt.as_str().get(..12).unwrap_or_default())
}
