//! The end of a process, as a value: who asks for it, what runs until then, and how long that may take.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::task::JoinHandle;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Cloned into everything that must end when the process does.
#[derive(Debug, Clone, Default)]
pub struct Shutdown {
    token: CancellationToken,
    tasks: TaskTracker,
    names: Arc<Names>,
    begun_at: Arc<OnceLock<Instant>>,
}

#[derive(Debug, Default)]
struct Names {
    next: AtomicU64,
    running: Mutex<BTreeMap<u64, &'static str>>,
}

/// Strikes a task off the list when it ends, also by a panic or an abort.
struct Running {
    names: Arc<Names>,
    number: u64,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.names.running().remove(&self.number);
    }
}

impl Names {
    fn running(&self) -> MutexGuard<'_, BTreeMap<u64, &'static str>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(self: &Arc<Self>, name: &'static str) -> Running {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.running().insert(number, name);
        Running { names: self.clone(), number }
    }
}

impl Shutdown {
    /// A process that nobody has asked to end.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks everything to end. More than once is once.
    pub fn begin(&self) {
        self.begun_at.get_or_init(Instant::now);
        self.token.cancel();
    }

    /// True once somebody asked.
    pub fn has_begun(&self) -> bool {
        self.token.is_cancelled()
    }

    /// Waits until somebody asks.
    pub async fn begun(&self) {
        self.token.cancelled().await;
    }

    /// Starts a task that the end of the process waits for, within the grace. It must watch [`Shutdown::begun`] itself.
    pub fn spawn<F>(&self, name: &'static str, task: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let running = self.names.add(name);
        self.tasks.spawn(async move {
            let _running = running;
            task.await
        })
    }

    /// Waits for the tasks, until `grace` after the end was asked for. Names those that are left; they are not aborted.
    pub async fn finish(&self, grace: Duration) -> Vec<&'static str> {
        self.tasks.close();
        match tokio::time::timeout(self.grace_left(grace), self.tasks.wait()).await {
            Ok(()) => Vec::new(),
            Err(_elapsed) => self.names.running().values().copied().collect(),
        }
    }

    /// What is left of `grace`: one deadline for all who wait.
    pub fn grace_left(&self, grace: Duration) -> Duration {
        self.begun_at.get().map_or(grace, |begun| grace.saturating_sub(begun.elapsed()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn tasks_that_end_are_waited_for_and_others_are_named() {
        let shutdown = Shutdown::new();
        let heard = shutdown.clone();
        shutdown.spawn("polite", async move { heard.begun().await });
        shutdown.begin();
        assert_eq!(shutdown.finish(Duration::from_secs(5)).await, [""; 0]);
        let stubborn = shutdown.spawn("stubborn", std::future::pending::<()>());
        assert_eq!(shutdown.finish(Duration::from_millis(50)).await, ["stubborn"]);
        stubborn.abort();
        assert!(stubborn.await.unwrap_err().is_cancelled());
        assert_eq!(shutdown.finish(Duration::from_secs(5)).await, [""; 0]);
    }
}
