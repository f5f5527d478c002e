//! The engine: how it is reached, and that no call to it waits for ever.

use std::{
    future::Future,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio::time::timeout;

use crate::{
    config::Config,
    error::SandboxError,
    image::ImageId,
    reaper::Reaper,
    socket::{SocketVariables, find_socket},
    spec::SandboxSpec,
    wire::Wire,
};

/// Podman, as one user of its socket sees it. Clones share the containers that are still to be removed.
#[derive(Debug, Clone)]
pub struct Podman {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    config: Config,
    socket: PathBuf,
    api: podman_api::Podman,
    wire: Wire,
    reaper: Reaper,
}

impl Podman {
    /// Finds the socket; the environment is read here and nowhere else. Nothing is sent: Podman may be started later.
    ///
    /// # Errors
    /// A Podman that is not behind a unix socket.
    pub fn connect(config: &Config) -> Result<Self, SandboxError> {
        Self::connect_with(config, &SocketVariables::from_environment())
    }

    /// As [`Podman::connect`], with these variables instead of the process's.
    ///
    /// # Errors
    /// A Podman that is not behind a unix socket.
    pub fn connect_with(config: &Config, variables: &SocketVariables) -> Result<Self, SandboxError> {
        let socket = find_socket(&config.podman_socket, variables, Path::exists)?;
        let inner = Inner {
            config: config.clone(),
            api: podman_api::Podman::unix(&socket),
            wire: Wire::new(&socket),
            reaper: Reaper::default(),
            socket,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Asks whether Podman is there.
    ///
    /// # Errors
    /// Podman does not answer.
    pub async fn ping(&self) -> Result<(), SandboxError> {
        self.call("ask Podman for a sign of life", self.api().ping()).await.map(drop)
    }

    /// Describes a sandbox with the limits of the settings. Its name begins with `name`; Podman ends and removes it
    /// after its lifetime, in case that nobody else does.
    pub fn spec(&self, image: ImageId, name: &str, lifetime: Duration) -> SandboxSpec {
        SandboxSpec::new(image, name, lifetime, self.config())
    }

    /// Waits until dropped sandboxes are removed, for so long; answers the names of those that are not.
    pub async fn drain(&self, deadline: Duration) -> Vec<String> {
        self.inner.reaper.drain(deadline).await
    }

    pub(crate) fn config(&self) -> &Config {
        &self.inner.config
    }

    pub(crate) fn api(&self) -> &podman_api::Podman {
        &self.inner.api
    }

    pub(crate) fn socket(&self) -> &Path {
        &self.inner.socket
    }

    pub(crate) fn wire(&self) -> &Wire {
        &self.inner.wire
    }

    pub(crate) fn reaper(&self) -> &Reaper {
        &self.inner.reaper
    }

    /// One call, within the time that a call may take.
    pub(crate) async fn call<T>(
        &self,
        action: &'static str,
        answer: impl Future<Output = podman_api::Result<T>> + Send,
    ) -> Result<T, SandboxError> {
        within(action, self.config().podman_timeout.get(), answer).await
    }
}

/// podman-api has no time limit of its own.
pub(crate) async fn within<T>(
    action: &'static str,
    limit: Duration,
    answer: impl Future<Output = podman_api::Result<T>> + Send,
) -> Result<T, SandboxError> {
    match timeout(limit, answer).await {
        Ok(answer) => answer.map_err(|error| SandboxError::from_engine(action, error)),
        Err(_) => Err(SandboxError::NoAnswer { action, limit }),
    }
}
