//! Taking builds: the loop behind a [`crate::BuildSource`].

use std::{sync::OnceLock, time::Duration};

use apalis_core::worker::context::WorkerContext;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::{
    AttemptId, Claim, Gate, Lease, Queue, QueueError, QueuedBuild, Retention, UnixMillis, WorkerName, error::chain,
    queue::millis, reply::Reply, scripts, tenure::Tenure, wake::Wake,
};

/// Between two tries while Redis is away.
const RETRY: Duration = Duration::from_millis(250);

/// Takes one build after the other for one worker.
pub(crate) struct Taker {
    pub(crate) queue: Queue,
    pub(crate) worker: WorkerName,
    pub(crate) gate: Gate,
    pub(crate) wake: Wake,
    pub(crate) stop: CancellationToken,
    /// The apalis worker, which stops listening to us while it drains.
    pub(crate) context: OnceLock<WorkerContext>,
}

/// What a take brought.
enum Taken {
    Build(Box<Claim>),
    /// Nothing to take; something is due after this time, or nothing is known to be.
    Idle(Option<Duration>),
}

impl Taker {
    /// The next build; `None` once it was told to stop. Must not be dropped half-way: a take in flight would be a lease
    /// that has to run out.
    pub(crate) async fn next(&self) -> Option<Claim> {
        loop {
            tokio::select! {
                () = self.stop.cancelled() => {}
                () = self.gate.opened() => {}
            }
            if self.ends() {
                return None;
            }
            match self.take().await {
                Taken::Build(claim) if self.may_take() => return Some(*claim),
                // The gate was shut while the take was under way.
                Taken::Build(claim) => give_back(*claim).await,
                Taken::Idle(due) => self.idle(due).await,
            }
        }
    }

    fn may_take(&self) -> bool {
        self.gate.is_open() && !self.ends()
    }

    fn ends(&self) -> bool {
        self.stop.is_cancelled() || self.context.get().is_some_and(WorkerContext::is_shutting_down)
    }

    async fn idle(&self, due: Option<Duration>) {
        let poll = self.queue.shared.config.poll_interval.get();
        // A little later than due, so that Redis's clock has passed it too.
        let wait = due.map_or(poll, |due| poll.min(due + Duration::from_millis(2)));
        tokio::select! {
            () = sleep(wait) => {}
            () = self.wake.woken() => {}
            () = self.stop.cancelled() => {}
        }
    }

    /// Asks with one and the same token until there is an answer, so that a build whose hand-out got lost on the way is
    /// handed out again rather than left to its lease.
    async fn take(&self) -> Taken {
        let token = AttemptId::random();
        let mut asked_before = false;
        loop {
            match self.ask(&token, asked_before).await {
                Ok(reply) => return self.read(reply, token).await,
                Err(error) if asked_before => tracing::debug!(error = chain(&error), "still no answer"),
                Err(error) => tracing::warn!(error = chain(&error), "waiting for Redis"),
            }
            asked_before = true;
            tokio::select! {
                () = sleep(RETRY) => {}
                () = self.stop.cancelled() => {}
            }
            if !self.may_take() && (self.take_back(&token).await || self.ends()) {
                return Taken::Idle(None);
            }
        }
    }

    async fn ask(&self, token: &AttemptId, asked_before: bool) -> Result<Reply, QueueError> {
        let config = &self.queue.shared.config;
        let args = [
            self.worker.as_str(),
            token.as_str(),
            &millis(config.lease.get()),
            &config.max_attempts.to_string(),
            &millis(config.build_failure_ttl.get()),
            if asked_before { "again" } else { "" },
        ];
        self.queue.ask("take a build", &scripts::TAKE, self.queue.shared.keys.of_all(), &args).await
    }

    /// True once it is certain that the token holds nothing.
    async fn take_back(&self, token: &AttemptId) -> bool {
        let keys = self.queue.shared.keys.of_all();
        let asked = self.queue.ask("give a build back", &scripts::TAKE_BACK, keys, &[token.as_str()]).await;
        asked.is_ok()
    }

    async fn read(&self, reply: Reply, token: AttemptId) -> Taken {
        match self.parse(reply, token).await {
            Ok(taken) => taken,
            Err(error) => {
                tracing::error!(error = chain(&error), "cannot take this build");
                Taken::Idle(Some(Duration::ZERO))
            }
        }
    }

    async fn parse(&self, mut reply: Reply, attempt: AttemptId) -> Result<Taken, QueueError> {
        if reply.text()? == "idle" {
            return Ok(Taken::Idle(reply.duration()?));
        }
        let tenure = Tenure { queue: self.queue.clone(), request_hash: reply.hash()?, attempt };
        let postponed = reply.number()?;
        let enqueued_at: UnixMillis = reply.time()?;
        match QueuedBuild::parse(&reply.text()?) {
            Ok(build) => {
                let request_hash = tenure.request_hash.clone();
                let lease = Lease::new(tenure, Retention::of(&build.request), postponed, &self.wake);
                Ok(Taken::Build(Box::new(Claim { request_hash, build, enqueued_at, lease })))
            }
            Err(source) => {
                // A worker of another version may be able to read it: it goes back with a delay.
                let request_hash = tenure.request_hash.clone();
                tenure.postpone(self.queue.shared.config.delay(postponed)).await?;
                Err(QueueError::Unreadable { request_hash, source })
            }
        }
    }
}

async fn give_back(claim: Claim) {
    if let Err(error) = claim.lease.give_back("this worker takes no builds now").await {
        tracing::warn!(error = chain(&error), "the build goes back when its lease runs out");
    }
}
