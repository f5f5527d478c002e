//! Whether a container still runs, and if not, why.

use crate::{error::SandboxError, podman::Podman, wire::Inspected};

/// The state of a container, as far as a command in it is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ContainerState {
    Running,
    /// Its memory was used up, and its first process was the victim.
    OutOfMemory,
    /// Killed, ended after its lifetime, or removed.
    Ended,
}

impl Podman {
    /// Not podman-api's inspection: that has Podman measure the container's disk use.
    pub(crate) async fn container_state(&self, id: &str) -> Result<ContainerState, SandboxError> {
        let path = format!("/containers/{id}/json");
        match self.call("look at a container", self.wire().get::<Inspected>(&path)).await {
            Ok(Inspected { state }) if state.running => Ok(ContainerState::Running),
            Ok(Inspected { state }) if state.oom_killed => Ok(ContainerState::OutOfMemory),
            Ok(_) => Ok(ContainerState::Ended),
            Err(error) if error.is_no_such_container() => Ok(ContainerState::Ended),
            Err(error) => Err(error),
        }
    }
}
