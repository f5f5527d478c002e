//! The scripts that work on a build by the token that holds it.

use std::time::Duration;

use asu_core::{BuildOutcome, RequestHash, Stage};
use redis::Script;

use crate::{AttemptId, Queue, QueueError, failure_note::render_detail, queue::millis, scripts};

/// One attempt at one build.
#[derive(Debug, Clone)]
pub(crate) struct Tenure {
    pub(crate) queue: Queue,
    pub(crate) request_hash: RequestHash,
    pub(crate) attempt: AttemptId,
}

/// How far a build is.
#[derive(Debug, Clone, Default)]
pub(crate) struct Progress {
    pub(crate) stage: Option<Stage>,
    pub(crate) build_cmd: Option<Vec<String>>,
}

/// True if the token still holds the build.
pub(crate) type Held = bool;

impl Tenure {
    pub(crate) async fn beat(&self, progress: Option<&Progress>) -> Result<Held, QueueError> {
        let lease = millis(self.queue.shared.config.lease.get());
        let stage = progress.and_then(|p| p.stage).map(Stage::as_str).unwrap_or_default();
        let command = progress.and_then(|p| p.build_cmd.as_ref());
        let command = command.map(|c| serde_json::to_string(c).expect("a list of texts is JSON")).unwrap_or_default();
        let answer = self.ask("renew the lease of the build", &scripts::BEAT, &[&lease, stage, &command]).await?;
        Ok(answer == "ours" || answer == "finished")
    }

    pub(crate) async fn finish(
        &self,
        outcome: &BuildOutcome,
        size: Option<u64>,
        ttl: Duration,
    ) -> Result<Held, QueueError> {
        let (state, kind, detail) = match outcome {
            BuildOutcome::Done(_) => ("done", "", String::new()),
            BuildOutcome::Failed(failed) => ("failed", failed.failure.kind(), render_detail(&failed.failure)),
        };
        let outcome = serde_json::to_string(outcome).expect("an outcome holds only what JSON can say");
        let size = size.map(|bytes| bytes.to_string()).unwrap_or_default();
        let args = [state, &outcome, &millis(ttl), kind, &detail, &size];
        Ok(self.ask("report the outcome of the build", &scripts::FINISH, &args).await? == "accepted")
    }

    /// The attempt counts if `used`.
    pub(crate) async fn release(&self, used: bool) -> Result<String, QueueError> {
        let config = &self.queue.shared.config;
        let (most, ttl) = (config.max_attempts.to_string(), millis(config.build_failure_ttl.get()));
        // Given up under a token that nobody holds.
        let nobody = AttemptId::random();
        let args = [if used { "used" } else { "unused" }, &most, nobody.as_str(), &ttl];
        self.ask("give the build back", &scripts::RELEASE, &args).await
    }

    pub(crate) async fn postpone(&self, delay: Duration) -> Result<String, QueueError> {
        let retry_for = self.queue.shared.config.retry_for.get();
        self.ask("put the build off", &scripts::POSTPONE, &[&millis(delay), &millis(retry_for)]).await
    }

    async fn ask(&self, action: &'static str, script: &'static Script, args: &[&str]) -> Result<String, QueueError> {
        let head = [self.request_hash.as_str(), self.attempt.as_str()];
        let args: Vec<_> = head.into_iter().chain(args.iter().copied()).collect();
        let keys = self.queue.shared.keys.of(&self.request_hash);
        self.queue.ask(action, script, keys, &args).await?.text()
    }
}
