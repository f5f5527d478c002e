//! A running container that is removed on every path.

use std::sync::atomic::AtomicU64;

use podman_api::{api::Container, opts::ContainerCommitOpts};
use tokio::runtime::Handle;

use crate::{
    error::SandboxError,
    image::{ImageId, ImageReference},
    podman::Podman,
    spec::SandboxSpec,
    state::ContainerState,
    wire::Created,
};

/// A running container. Dropping it removes the container in the background; see [`Podman::drain`].
#[derive(Debug)]
pub struct Sandbox {
    pub(crate) podman: Podman,
    pub(crate) id: String,
    pub(crate) memory_limit: u64,
    /// How many processes of this container the kernel has killed for want of memory, as far as we know.
    pub(crate) oom_kills: AtomicU64,
    name: String,
    handle: Handle,
    removed: bool,
}

impl Podman {
    /// Creates and starts a container. If the caller goes away in the middle, the container is removed.
    ///
    /// # Errors
    /// Podman does not answer or refuses, or the image was removed.
    pub async fn start(&self, spec: SandboxSpec) -> Result<Sandbox, SandboxError> {
        const ACTION: &str = "start a container";
        let podman = self.clone();
        let handle = Handle::current();
        let task = self.reaper().finish(&handle.clone(), async move { podman.create_and_start(&spec, handle).await });
        task.await.map_err(|source| SandboxError::Garbled { action: ACTION, source: source.into() })?
    }

    async fn create_and_start(&self, spec: &SandboxSpec, handle: Handle) -> Result<Sandbox, SandboxError> {
        let body = spec.to_wire();
        let created = self.call("create a container", self.wire().post::<Created>("/containers/create", &body)).await;
        let id = match created {
            Ok(created) => created.id,
            Err(error) => return Err(self.not_created(spec, &handle, error)),
        };
        let sandbox = Sandbox {
            podman: self.clone(),
            id,
            memory_limit: spec.memory_limit().get(),
            oom_kills: AtomicU64::new(0),
            name: spec.name.clone(),
            handle,
            removed: false,
        };
        self.call("start a container", sandbox.container().start(None)).await?;
        Ok(sandbox)
    }

    fn not_created(&self, spec: &SandboxSpec, handle: &Handle, error: SandboxError) -> SandboxError {
        let Some(refusal) = error.refusal() else {
            // Podman may have created it and not told us.
            drop(self.reap(handle, &spec.name, false));
            return error;
        };
        if refusal.message.contains("image not known") || refusal.message.contains("no such image") {
            return SandboxError::NoSuchImage { image: spec.image.to_string() };
        }
        error
    }
}

impl Sandbox {
    /// The container's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Ends everything in the container at once. Podman then removes it by itself.
    ///
    /// # Errors
    /// Podman does not answer or refuses; that the container has already ended is none.
    pub async fn kill(&self) -> Result<(), SandboxError> {
        match self.podman.call("kill a container", self.container().kill()).await {
            Ok(()) => Ok(()),
            Err(error) if error.refusal().is_some() => match self.podman.container_state(&self.id).await? {
                ContainerState::Running => Err(error),
                ContainerState::OutOfMemory | ContainerState::Ended => Ok(()),
            },
            Err(error) => Err(error),
        }
    }

    /// Kills and removes the container and waits until it is done.
    ///
    /// # Errors
    /// It could not be removed, also not by trying for some time.
    pub async fn remove(mut self) -> Result<(), SandboxError> {
        self.removed = true;
        let task = self.podman.reap(&self.handle, &self.name, true);
        task.await.map_err(|source| SandboxError::Garbled { action: "remove a container", source: source.into() })?
    }

    /// Makes an image of what the container holds; no command may run meanwhile. It has the container's labels and these,
    /// which go before them; what stands in no name of an image or a version becomes `_` in their values. An image that
    /// has this name loses it.
    ///
    /// # Errors
    /// Podman does not answer, or refuses.
    pub async fn commit(&self, image: &ImageReference, labels: &[(&str, &str)]) -> Result<ImageId, SandboxError> {
        const ACTION: &str = "commit a container";
        let (repository, tag) = image.repository_and_tag();
        let labels = labels.iter().map(|(key, value)| render_label(key, value));
        // Nothing runs in it between two commands, and freezing it may take long on a busy machine.
        let options = ContainerCommitOpts::builder().repo(repository).tag(tag).pause(false).changes(labels).build();
        let limit = self.podman.config().podman_transfer_timeout.get();
        crate::podman::within(ACTION, limit, self.podman.api().containers().get(self.id.as_str()).commit(&options))
            .await?;
        let id = self.podman.image(image).await?;
        id.ok_or_else(|| SandboxError::NoSuchImage { image: image.to_string() })
    }

    /// A command was abandoned in the middle: it would go on, so the container must go.
    pub(crate) fn abandon(&self) {
        drop(self.podman.reap(&self.handle, &self.name, true));
    }

    pub(crate) fn container(&self) -> Container {
        self.podman.api().containers().get(self.id.as_str())
    }
}

/// An instruction as in a Dockerfile. How Podman reads quotes in it differs from version to version.
fn render_label(key: &str, value: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "._-/:,+".contains(c) { c } else { '_' };
    format!("LABEL {key}={}", value.chars().map(plain).collect::<String>())
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        if !self.removed {
            drop(self.podman.reap(&self.handle, &self.name, true));
        }
    }
}
