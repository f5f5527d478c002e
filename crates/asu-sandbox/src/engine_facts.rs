//! What the engine is, for whoever checks an installation.

use std::path::{Path, PathBuf};

use crate::{
    config::Config,
    error::SandboxError,
    podman::Podman,
    socket::{SocketVariables, find_socket},
    wire::{HostInfo, Info},
};

/// A Podman and the machine below it, in Podman's own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineFacts {
    /// Podman's version.
    pub version: String,
    /// What runs containers, such as `crun`.
    pub runtime: String,
    /// `v1` or `v2`.
    pub cgroups: String,
    /// True if it runs as a user without rights.
    pub rootless: bool,
    /// The resources that it can limit, such as `memory`; empty where it can limit all.
    pub controllers: Vec<String>,
    /// True if the network of build containers exists.
    pub has_build_network: bool,
}

impl Config {
    /// The socket that [`Podman::connect`] uses.
    ///
    /// # Errors
    /// A Podman that is not behind a unix socket.
    pub fn socket(&self) -> Result<PathBuf, SandboxError> {
        find_socket(&self.podman_socket, &SocketVariables::from_environment(), Path::exists)
    }
}

impl Podman {
    /// Asks the engine about itself.
    ///
    /// # Errors
    /// Podman does not answer.
    pub async fn facts(&self) -> Result<EngineFacts, SandboxError> {
        let action = "ask Podman about itself";
        let version = self.call(action, self.api().version()).await?.version.unwrap_or_default();
        let Info { host } = self.call(action, self.wire().get::<Info>("/info")).await?;
        let networks = self.api().networks();
        let network = networks.get(self.config().build_network.as_str());
        let has_build_network = self.call("look for the build network", network.exists()).await?;
        Ok(EngineFacts::of(host.unwrap_or_default(), version, has_build_network))
    }
}

impl EngineFacts {
    fn of(host: HostInfo, version: String, has_build_network: bool) -> Self {
        let rootless = host.security.is_some_and(|security| security.rootless);
        // To root everything is delegated, whatever the list says.
        let controllers = if rootless { host.cgroup_controllers.unwrap_or_default() } else { Vec::new() };
        Self {
            version,
            runtime: host.oci_runtime.unwrap_or_default().name,
            cgroups: host.cgroup_version,
            rootless,
            controllers,
            has_build_network,
        }
    }
}
