//! The right to build one build.

use std::{future::Future, time::Duration};

use asu_core::{BuildOutcome, Stage};
use tokio::{
    runtime::Handle,
    sync::watch,
    time::{Instant, sleep},
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use crate::{
    AttemptId, Finished, LeaseError, LiveLog, Postponed, QueueError, Released, Retention,
    error::chain,
    heartbeat,
    log_carrier::LogCarrier,
    tenure::{Progress, Tenure},
    wake::Wake,
};

/// Between two tries to report while Redis is away.
const RETRY: Duration = Duration::from_millis(250);

/// Held by whoever builds. It renews itself in a task of its own, whatever the build is busy with. It ends with one of
/// [`Lease::finish`], [`Lease::give_back`] and [`Lease::postpone`]. Dropped without, the build goes back to its place in
/// line and the attempt counts, since a panic may be why.
#[derive(Debug)]
pub struct Lease {
    tenure: Tenure,
    retention: Retention,
    postponed: u32,
    progress: watch::Sender<Progress>,
    lost: CancellationToken,
    _heartbeat: AbortOnDropHandle<()>,
    log: LiveLog,
    carrier: LogCarrier,
    size: Option<u64>,
    settled: bool,
}

impl Lease {
    pub(crate) fn new(tenure: Tenure, retention: Retention, postponed: u32, wake: &Wake) -> Self {
        let progress = watch::Sender::new(Progress::default());
        let lost = CancellationToken::new();
        let beat = heartbeat::keep(tenure.clone(), progress.subscribe(), wake.cancelled(), lost.clone());
        let heartbeat = AbortOnDropHandle::new(tokio::spawn(beat));
        let log = LiveLog::default();
        // What the record says of a build that was just taken.
        log.stage(Stage::Init);
        let carrier = LogCarrier::start(tenure.clone(), log.clone());
        Self {
            tenure,
            retention,
            postponed,
            progress,
            lost,
            _heartbeat: heartbeat,
            log,
            carrier,
            size: None,
            settled: false,
        }
    }

    /// The token of this attempt; a name for files that no other attempt has.
    pub fn attempt(&self) -> &AttemptId {
        &self.tenure.attempt
    }

    /// How often the build was put off before this attempt.
    pub fn postponed(&self) -> u32 {
        self.postponed
    }

    /// Fires when the build is not ours any more for certain: stop it and store nothing. It does not fire while Redis is
    /// away, see [`Lease::verify`].
    pub fn lost(&self) -> &CancellationToken {
        &self.lost
    }

    /// What clients can read of the build while it runs.
    pub fn log(&self) -> &LiveLog {
        &self.log
    }

    /// Tells clients what is being done. Returns at once; the latest stage is reported as soon as Redis can be reached.
    pub fn set_stage(&self, stage: Stage) {
        self.log.stage(stage);
        self.progress.send_modify(|progress| progress.stage = Some(stage));
    }

    /// Tells clients the command that builds the images. Returns at once, as above.
    pub fn set_build_cmd(&self, command: Vec<String>) {
        self.progress.send_modify(|progress| progress.build_cmd = Some(command));
    }

    /// Notes how many bytes the images have that are about to be published; told with the outcome.
    pub fn set_size(&mut self, bytes: u64) {
        self.size = Some(bytes);
    }

    /// Makes sure that the build is still ours, and renews the lease; to be asked right before anything is published.
    /// Waits up to `report_timeout` for a Redis that is away.
    ///
    /// # Errors
    /// It is not ours, or nobody can tell.
    pub async fn verify(&self) -> Result<(), LeaseError> {
        let request_hash = self.tenure.request_hash.clone();
        match self.insist(self.config().report_timeout.get(), || self.tenure.beat(None)).await {
            Ok(true) => Ok(()),
            Ok(false) => {
                self.lost.cancel();
                Err(LeaseError::Lost(request_hash))
            }
            Err(source) => Err(LeaseError::Unknown { request_hash, source }),
        }
    }

    /// Stores how the build ended, after the rest of its log. Tries for up to `report_timeout` while Redis is away.
    ///
    /// # Errors
    /// Redis did not take it in that time; the build will be built again.
    pub async fn finish(mut self, outcome: BuildOutcome) -> Result<Finished, QueueError> {
        // Before the end is known: readers leave then.
        self.close_log().await;
        let ttl = self.config().ttl(self.retention, &outcome);
        let report = || self.tenure.finish(&outcome, self.size, ttl);
        let accepted = self.insist(self.config().report_timeout.get(), report).await?;
        self.settled = true;
        Ok(if accepted { Finished::Accepted } else { Finished::Superseded })
    }

    /// Back to its place in line, in front of everything that came later; the attempt does not count. For builds that
    /// this worker has no time for.
    ///
    /// # Errors
    /// Redis is away; the build goes back when the lease runs out, and then the attempt counts.
    pub async fn give_back(mut self, reason: &str) -> Result<Released, QueueError> {
        tracing::info!(build.request_hash = %self.tenure.request_hash, reason, "giving the build back");
        let answer = self.insist(self.config().lease.get(), || self.tenure.release(false)).await?;
        self.settled = true;
        Ok(if answer == "lost" { Released::NotOurs } else { Released::InLine })
    }

    /// To be tried again later, because of trouble that is not the request's fault; the attempt does not count.
    ///
    /// The delay doubles from `retry_delay` to `retry_delay_max`. The build keeps its place: while it is put off others go
    /// first, afterwards it is in front of everything that came later. It counts for `max_pending_jobs` all along.
    ///
    /// After `retry_for` of trouble the record is dropped: such a failure is never stored as the request's own, and builds
    /// that nobody waits for any more must not fill the queue until everybody is refused. A client that still asks hears
    /// 404, and a new request starts afresh. The time runs from the first trouble, not from the request, so that a build
    /// that waited in line for long is not dropped at its first mishap.
    ///
    /// # Errors
    /// Redis is away; the build goes back when the lease runs out, and then the attempt counts.
    pub async fn postpone(mut self, reason: &str) -> Result<Postponed, QueueError> {
        let hash = self.tenure.request_hash.clone();
        let delay = self.config().delay(self.postponed);
        self.close_log().await;
        let answer = self.insist(self.config().lease.get(), || self.tenure.postpone(delay)).await?;
        self.settled = true;
        let delay_ms = delay.as_millis();
        Ok(match answer.as_str() {
            "postponed" => {
                tracing::warn!(build.request_hash = %hash, reason, delay_ms, "the build is put off");
                Postponed::For(delay)
            }
            "dropped" => {
                tracing::error!(build.request_hash = %hash, reason, "the build is dropped, the trouble lasts too long");
                Postponed::Dropped
            }
            _ => Postponed::NotOurs,
        })
    }

    /// Without any say in what becomes of the build.
    async fn close_log(&mut self) {
        let limit = self.config().redis_timeout.get();
        self.carrier.close(limit).await;
    }

    fn config(&self) -> &crate::Config {
        &self.tenure.queue.shared.config
    }

    /// Asks until Redis answers, for at least `limit`; the heartbeat goes on meanwhile.
    async fn insist<T, F>(&self, limit: Duration, ask: impl Fn() -> F) -> Result<T, QueueError>
    where
        F: Future<Output = Result<T, QueueError>>,
    {
        let begun = Instant::now();
        loop {
            match ask().await {
                Err(error) if error.is_outage() && begun.elapsed() < limit => {
                    tracing::debug!(build.request_hash = %self.tenure.request_hash, error = chain(&error), "trying again");
                }
                answer => return answer,
            }
            sleep(RETRY).await;
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if self.settled {
            return;
        }
        let tenure = self.tenure.clone();
        // Without a runtime the lease runs out, with the same effect.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move {
                let became = tenure.release(true).await.unwrap_or_else(|error| chain(&error));
                tracing::warn!(build.request_hash = %tenure.request_hash, became, "a lease was dropped");
            });
        }
    }
}
