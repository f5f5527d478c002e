//! Building once more what ended, or what is put off.

use asu_core::RequestHash;

use crate::{AttemptId, BuildStatus, Queue, QueueError, queue::millis, scripts};

/// What came of the wish to have a build tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retried {
    /// It had failed, and stands at the end of the line.
    Again,
    /// It was put off, and is due now.
    Due,
    /// It waits already.
    Waiting,
    /// It runs already.
    Started,
    /// It is done: only [`Queue::evict`] has it built once more.
    Done,
    /// There is no such build.
    Unknown,
}

impl Queue {
    /// Has a failed build built again, or one that is put off tried at once. An operator may do so whatever the limits.
    ///
    /// # Errors
    /// Redis is away or refuses, or another version of the server wrote the record.
    pub async fn retry(&self, request_hash: &RequestHash) -> Result<Retried, QueueError> {
        let keys = self.shared.keys.of(request_hash);
        let mut reply = self.ask("retry the build", &scripts::RETRY, keys, &[request_hash.as_str()]).await?;
        match reply.text()? {
            answer if answer == "again" => Ok(Retried::Again),
            answer if answer == "due" => Ok(Retried::Due),
            answer if answer == "waiting" => Ok(Retried::Waiting),
            answer if answer == "started" => Ok(Retried::Started),
            answer if answer == "done" => Ok(Retried::Done),
            answer if answer == "unknown" => Ok(Retried::Unknown),
            state => Err(QueueError::UnknownState { request_hash: request_hash.clone(), state }),
        }
    }

    /// Puts a build in line once more whose images are gone, in one step and on nobody's account: there is no moment in
    /// which it is unknown, and nobody's limits count. The answer is where the build is then, also if it is of another
    /// attempt by now; `None` if it is not known, or was dropped because there is no room.
    ///
    /// # Errors
    /// Redis is away or refuses, or another version of the server wrote the record.
    pub async fn build_again(
        &self,
        request_hash: &RequestHash,
        attempt: &AttemptId,
    ) -> Result<Option<BuildStatus>, QueueError> {
        let config = &self.shared.config;
        let (most, lease) = (config.max_pending_jobs.to_string(), millis(config.lease.get()));
        let args = [request_hash.as_str(), attempt.as_str(), &most, &lease];
        let keys = self.shared.keys.of(request_hash);
        let mut reply = self.ask("build again what is gone", &scripts::BUILD_AGAIN, keys, &args).await?;
        match reply.text()?.as_str() {
            "again" => {
                tracing::warn!(build.request_hash = %request_hash, "the images of a finished build are gone, it is built again");
            }
            "known" => {}
            "gone" => return Ok(None),
            _ => return reply.unexpected(),
        }
        BuildStatus::read(request_hash, reply)
    }
}
