//! Ending a build before it is done.

use asu_core::{BuildFailure, BuildLog, BuildOutcome, FailedBuild, RequestHash};

use crate::{AttemptId, Queue, QueueError, failure_note::render_detail, queue::millis, scripts};

/// What came of the wish to cancel a build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cancelled {
    /// It waited, and has left the line.
    Waiting,
    /// It ran: its worker has lost it, and kills its container as soon as it knows.
    Running,
    /// It had ended before; nothing changed.
    Ended,
    /// There is no such build.
    Unknown,
}

impl Queue {
    /// Ends a build that waits or runs. From now on it is a failed one, of the kind [`BuildFailure::Cancelled`], for
    /// `build_cancelled_ttl`; after that a request for it is built anew. A worker that runs it loses its lease at this
    /// very moment: whatever it still does, it can neither report nor publish anything. It is told at once, learns it
    /// with its next heartbeat otherwise, and if it is dead, others remove its container.
    ///
    /// # Errors
    /// Redis is away or refuses.
    pub async fn cancel(&self, request_hash: &RequestHash) -> Result<Cancelled, QueueError> {
        let action = "cancel the build";
        let failure = BuildFailure::Cancelled;
        let (kind, detail) = (failure.kind(), render_detail(&failure));
        let failed = FailedBuild { failure, build_cmd: Vec::new(), log: BuildLog::default() };
        let outcome = BuildOutcome::Failed(Box::new(failed));
        let outcome = serde_json::to_string(&outcome).expect("an outcome holds only what JSON can say");
        let (nobody, ttl) = (AttemptId::random(), millis(self.shared.config.build_cancelled_ttl.get()));
        let args = [request_hash.as_str(), nobody.as_str(), &outcome, &ttl, kind, &detail];
        let keys = self.shared.keys.of(request_hash);
        match self.ask(action, &scripts::CANCEL, keys, &args).await?.text()?.as_str() {
            "waited" => Ok(Cancelled::Waiting),
            "ran" => Ok(Cancelled::Running),
            "ended" => Ok(Cancelled::Ended),
            "unknown" => Ok(Cancelled::Unknown),
            _ => Err(QueueError::Unexpected { action }),
        }
    }
}
