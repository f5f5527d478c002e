//! The live workers, and which of them shall take no more builds.

use asu_core::RequestHash;
use redis::cmd;

use crate::{Queue, QueueError, WorkerName, scripts};

/// A worker that announced itself lately.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveWorker {
    /// Its name, unique to its process.
    pub name: WorkerName,
    /// How many builds it runs at the same time.
    pub slots: u64,
    /// True if it takes no more builds.
    pub drained: bool,
    /// What it builds now.
    pub builds: Vec<RequestHash>,
}

impl Queue {
    /// The live workers, by name.
    ///
    /// # Errors
    /// Redis is away or refuses.
    pub async fn workers(&self) -> Result<Vec<LiveWorker>, QueueError> {
        let mut reply = self.ask("list the workers", &scripts::WORKERS, self.shared.keys.of_all(), &[]).await?;
        let mut workers = Vec::new();
        while let Some(name) = reply.next() {
            let Ok(name) = WorkerName::parse(&name) else { return reply.unexpected() };
            let (slots, drained, count) = (reply.number()?, reply.text()? == "drained", reply.number::<usize>()?);
            let builds = (0..count).map(|_| reply.hash()).collect::<Result<_, _>>()?;
            workers.push(LiveWorker { name, slots, drained, builds });
        }
        workers.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(workers)
    }

    /// Lets a live worker take no more builds, or take them again. It ends those that it has. The word counts from this
    /// moment on, whether or not the worker knows it yet, and is forgotten when the worker's process ends. False if there
    /// is no such worker.
    ///
    /// # Errors
    /// Redis is away or refuses.
    pub async fn set_drained(&self, worker: &WorkerName, drained: bool) -> Result<bool, QueueError> {
        let args = [worker.as_str(), if drained { "drain" } else { "undrain" }];
        let mut reply = self.ask("drain the worker", &scripts::DRAIN, self.shared.keys.of_all(), &args).await?;
        Ok(reply.text()? == "said")
    }

    /// True if an operator wants this worker to take no more builds.
    ///
    /// # Errors
    /// Redis is away or refuses.
    pub async fn is_drained(&self, worker: &WorkerName) -> Result<bool, QueueError> {
        let mut command = cmd("SISMEMBER");
        command.arg(self.shared.keys.drained()).arg(worker.as_str());
        self.shared.connection.command("ask whether the worker is drained", &command).await
    }
}
