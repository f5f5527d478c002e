//! Removing containers whose sandbox is gone, in the background and on every path.

use std::{collections::BTreeSet, future::Future, sync::Mutex, time::Duration};

use podman_api::opts::{ContainerDeleteOpts, ContainerListFilter, ContainerListOpts};
use tokio::{
    runtime::Handle,
    task::JoinHandle,
    time::{sleep, timeout},
};
use tokio_util::task::TaskTracker;
use tracing::warn;

use crate::{error::SandboxError, podman::Podman};

/// Pauses between attempts to remove a container. After them its lifetime or the next start of the worker does it.
const PAUSES: [Duration; 6] = [
    Duration::from_millis(200),
    Duration::from_secs(1),
    Duration::from_secs(3),
    Duration::from_secs(10),
    Duration::from_secs(30),
    Duration::from_secs(60),
];

/// Pauses between looks for a container whose creation was not answered: Podman may still be about to create it, and on a
/// busy machine that takes seconds. That something was removed does not end them: in the middle of a creation Podman removes
/// the container's storage, says so, and goes on creating it.
const LOOKS: [Duration; 4] =
    [Duration::from_millis(200), Duration::from_secs(1), Duration::from_secs(3), Duration::from_secs(10)];

/// What is still to be removed.
#[derive(Debug, Default)]
pub(crate) struct Reaper {
    tasks: TaskTracker,
    waiting: Mutex<BTreeSet<String>>,
}

impl Reaper {
    /// Runs something to its end even if nobody waits for it any more.
    pub(crate) fn finish<T: Send + 'static>(
        &self,
        handle: &Handle,
        task: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        self.tasks.spawn_on(task, handle)
    }

    pub(crate) async fn drain(&self, deadline: Duration) -> Vec<String> {
        self.tasks.close();
        // The names that are left tell whether it was in time.
        let _ = timeout(deadline, self.tasks.wait()).await;
        self.tasks.reopen();
        self.waiting().iter().cloned().collect()
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, BTreeSet<String>> {
        self.waiting.lock().expect("nothing panics while it holds this lock")
    }
}

impl Podman {
    /// Removes the containers that carry a label, such as those of a worker that died, and answers their names.
    ///
    /// # Errors
    /// Podman does not answer, or refuses to remove one; the others are removed all the same.
    pub async fn remove_leftovers(&self, key: &str, value: &str) -> Result<Vec<String>, SandboxError> {
        let names = self.list(key, value).await?;
        let mut result = Ok(());
        for name in &names {
            result = result.and(self.remove_patiently(name, &PAUSES[..2]).await);
        }
        result.map(|()| names)
    }

    /// The names of the containers that carry a label, running or not.
    ///
    /// # Errors
    /// Podman does not answer.
    pub async fn list(&self, key: &str, value: &str) -> Result<Vec<String>, SandboxError> {
        let filter = ContainerListFilter::LabelKeyVal(key.to_owned(), value.to_owned());
        let options = ContainerListOpts::builder().all(true).filter([filter]).build();
        let containers = self.call("list containers", self.api().containers().list(&options)).await?;
        Ok(containers.into_iter().filter_map(|container| container.names?.into_iter().next()).collect())
    }

    /// Removes a container for sure, in a task that outlives the caller. `certain`: the container exists.
    pub(crate) fn reap(&self, handle: &Handle, name: &str, certain: bool) -> JoinHandle<Result<(), SandboxError>> {
        self.reaper().waiting().insert(name.to_owned());
        let (podman, name) = (self.clone(), name.to_owned());
        self.reaper().finish(handle, async move {
            let result = podman.remove_for_sure(&name, certain).await;
            match &result {
                Ok(()) => drop(podman.reaper().waiting().remove(&name)),
                Err(error) => warn!(container.name = name, error = ?error, "a container could not be removed"),
            }
            result
        })
    }

    async fn remove_for_sure(&self, name: &str, certain: bool) -> Result<(), SandboxError> {
        if !certain {
            for pause in LOOKS {
                self.remove_patiently(name, &PAUSES).await?;
                sleep(pause).await;
            }
        }
        self.remove_patiently(name, &PAUSES).await
    }

    /// A container that is just ending by itself may refuse to be removed for a moment.
    async fn remove_patiently(&self, name: &str, pauses: &[Duration]) -> Result<(), SandboxError> {
        for pause in pauses {
            if self.remove_container(name).await.is_ok() {
                return Ok(());
            }
            sleep(*pause).await;
        }
        self.remove_container(name).await
    }

    /// Kills and removes a container at once, if there is one.
    async fn remove_container(&self, name: &str) -> Result<(), SandboxError> {
        // Without the timeout Podman waits ten seconds for an orderly end.
        let options = ContainerDeleteOpts::builder().force(true).volumes(true).timeout(0).build();
        let container = self.api().containers().get(name);
        match self.call("remove a container", container.delete(&options)).await {
            Err(error) if error.is_no_such_container() => Ok(()),
            result => result,
        }
    }
}
