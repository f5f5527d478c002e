//! The queue as the API sees it.

use std::{fmt, sync::Arc, time::Duration};

use asu_core::RequestHash;

use crate::{
    AttemptId, BuildSource, BuildStatus, ClientKey, ClientLabel, ClientLimit, Config, Counts, Enqueued, FinishedBuild,
    Gate, QueueError, QueuedBuild, WorkerName, connection::Connection, keys::Keys, reply::Reply, scripts,
};

/// The build queue. Clones share one connection.
#[derive(Clone)]
pub struct Queue {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) connection: Connection,
    pub(crate) keys: Keys,
}

impl Queue {
    /// Checks the settings and prepares to connect; call it inside a Tokio runtime. Redis may be away: the connection is
    /// made, and made again, when it is needed.
    ///
    /// # Errors
    /// Settings that cannot be used.
    pub fn connect(config: &Config) -> Result<Self, QueueError> {
        config.validate().map_err(QueueError::Config)?;
        let connection = Connection::lazy(&config.redis_url, config.redis_timeout.get())?;
        let keys = Keys::new(&config.redis_prefix);
        Ok(Self { shared: Arc::new(Shared { config: config.clone(), connection, keys }) })
    }

    /// Asks Redis for a sign of life.
    ///
    /// # Errors
    /// There is none within `redis_timeout`.
    pub async fn ping(&self) -> Result<(), QueueError> {
        self.shared.connection.ping().await
    }

    /// Puts a build that belongs to no client in line, unless it is known already or the line is full, in one step. If an
    /// answer gets lost and the question is repeated, a build that the first try put in line is [`Enqueued::Known`].
    ///
    /// # Errors
    /// Redis is away or refuses; the build may be in line all the same, and asking again is safe.
    pub async fn enqueue(&self, request_hash: &RequestHash, build: &QueuedBuild) -> Result<Enqueued, QueueError> {
        self.put_in_line(request_hash, build, None).await
    }

    /// The same for a client that asks for the build: its limits are part of the step, and the statistics count the
    /// request. A build that is known is never refused.
    ///
    /// # Errors
    /// As for [`Queue::enqueue`].
    pub async fn enqueue_for(
        &self,
        client: &ClientKey,
        request_hash: &RequestHash,
        build: &QueuedBuild,
    ) -> Result<Enqueued, QueueError> {
        self.put_in_line(request_hash, build, Some(client)).await
    }

    async fn put_in_line(
        &self,
        request_hash: &RequestHash,
        build: &QueuedBuild,
        client: Option<&ClientKey>,
    ) -> Result<Enqueued, QueueError> {
        let action = "enqueue the build";
        let config = &self.shared.config;
        let branch = build.request.version.branch();
        let label = ClientLabel::of(build.request.client.as_deref());
        let args = [
            request_hash.as_str(),
            &build.render(),
            &config.max_pending_jobs.to_string(),
            &millis(config.lease.get()),
            &config.client_pending_jobs.to_string(),
            &config.client_builds_per_hour.to_string(),
            if config.server_stats { branch.as_str() } else { "" },
            if config.server_stats && client.is_some() { label.as_str() } else { "" },
        ];
        let keys = self.shared.keys.of_new(request_hash, client);
        let mut reply = self.ask(action, &scripts::ENQUEUE, keys, &args).await?;
        let kind = reply.text()?;
        let limited_by = match kind.as_str() {
            "full" => return Ok(Enqueued::Full { length: reply.number()? }),
            "pending" => Some(ClientLimit::PendingJobs(config.client_pending_jobs)),
            "hourly" => Some(ClientLimit::BuildsPerHour(config.client_builds_per_hour)),
            _ => None,
        };
        if let Some(limit) = limited_by {
            return Ok(Enqueued::Limited { limit, wait: reply.duration()? });
        }
        let Some(status) = BuildStatus::read(request_hash, reply)? else {
            return Err(QueueError::Unexpected { action });
        };
        match kind.as_str() {
            "new" => Ok(Enqueued::New(status)),
            "known" => Ok(Enqueued::Known(status)),
            _ => Err(QueueError::Unexpected { action }),
        }
    }

    /// Where a build is; `None` if it is not known, or not any more. One short round trip.
    ///
    /// # Errors
    /// Redis is away or refuses, or another version of the server wrote the record.
    pub async fn status(&self, request_hash: &RequestHash) -> Result<Option<BuildStatus>, QueueError> {
        let args = [request_hash.as_str(), &millis(self.shared.config.lease.get())];
        let keys = self.shared.keys.of(request_hash);
        let reply = self.ask("look up the build", &scripts::STATUS, keys, &args).await?;
        BuildStatus::read(request_hash, reply)
    }

    /// What a finished build left behind; `None` if there is no finished build of this hash.
    ///
    /// # Errors
    /// As for [`Queue::status`].
    pub async fn outcome(&self, request_hash: &RequestHash) -> Result<Option<FinishedBuild>, QueueError> {
        let action = "read the outcome of the build";
        let query = FinishedBuild::query(&self.shared.keys.record(request_hash));
        FinishedBuild::read(request_hash, action, self.shared.connection.command(action, &query).await?)
    }

    /// Drops a finished build, because its files are gone. True if it was dropped; false if it is not that attempt any
    /// more, and then its files are not those that were looked for.
    ///
    /// # Errors
    /// Redis is away or refuses.
    pub async fn forget(&self, request_hash: &RequestHash, attempt: &AttemptId) -> Result<bool, QueueError> {
        let keys = self.shared.keys.of(request_hash);
        let mut reply = self.ask("forget the build", &scripts::FORGET, keys, &[attempt.as_str()]).await?;
        Ok(reply.text()? == "forgotten")
    }

    /// The queue in numbers.
    ///
    /// # Errors
    /// Redis is away or refuses.
    pub async fn counts(&self) -> Result<Counts, QueueError> {
        let mut reply = self.ask("count the builds", &scripts::COUNTS, self.shared.keys.of_all(), &[]).await?;
        let (ready, delayed): (u64, u64) = (reply.number()?, reply.number()?);
        let (running, workers) = (reply.number()?, reply.number()?);
        let oldest_pending = reply.duration()?;
        let (slots, mean_build) = (reply.number()?, reply.duration()?);
        Ok(Counts { pending: ready + delayed, delayed, running, workers, oldest_pending, slots, mean_build })
    }

    /// The builds for one worker process that runs up to `slots` at the same time; take them only while `gate` is open.
    /// The source connects by itself and takes nothing before it is first polled.
    pub fn builds(&self, worker: &WorkerName, slots: usize, gate: &Gate) -> BuildSource {
        BuildSource::new(self.clone(), worker.clone(), slots, gate.clone())
    }

    pub(crate) async fn ask(
        &self,
        action: &'static str,
        script: &'static redis::Script,
        keys: Vec<String>,
        args: &[&str],
    ) -> Result<Reply, QueueError> {
        let values = self.shared.connection.script(action, script, &keys, args).await?;
        Ok(Reply::new(action, values))
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue").field("config", &self.shared.config).finish_non_exhaustive()
    }
}

/// A length of time as scripts take it.
pub(crate) fn millis(duration: Duration) -> String {
    duration.as_millis().max(1).to_string()
}
