//! The network of build containers.

use std::collections::BTreeMap;

use podman_api::opts::NetworkCreateOpts;
use serde::Deserialize;

use crate::{error::SandboxError, podman::Podman};

/// The option of a network that keeps its containers out of other networks that have it.
const ISOLATE: &str = "isolate";

impl Podman {
    /// Creates the network of the settings if it is missing: with name resolution, and without a way into the other
    /// networks of this machine.
    ///
    /// # Errors
    /// Podman does not answer, or refuses.
    pub async fn ensure_network(&self) -> Result<(), SandboxError> {
        let name = &self.config().build_network;
        let networks = self.api().networks();
        if self.call("look for the build network", networks.get(name.as_str()).exists()).await? {
            return Ok(());
        }
        let options =
            NetworkCreateOpts::builder().name(name).driver("bridge").dns_enabled(true).options([(ISOLATE, "true")]);
        match self.call("create the build network", networks.create(&options.build())).await {
            Ok(_) => Ok(()),
            // Another worker was faster.
            Err(error) if error.refusal().is_some_and(|refusal| refusal.code == 409) => Ok(()),
            Err(error) => Err(error),
        }
    }
    /// True if the network of the settings, which exists, keeps builds out of other isolated networks. One that was there
    /// before the first worker may not.
    ///
    /// # Errors
    /// Podman does not answer, or has no such network.
    pub async fn is_build_network_isolated(&self) -> Result<bool, SandboxError> {
        let path = format!("/networks/{}/json", self.config().build_network);
        let network: Inspected = self.call("look at the build network", self.wire().get(&path)).await?;
        let isolate = network.options.unwrap_or_default().remove(ISOLATE);
        Ok(isolate.is_some_and(|value| matches!(&*value, "true" | "1" | "strict")))
    }
}

/// What an inspection tells about a network.
#[derive(Deserialize)]
struct Inspected {
    options: Option<BTreeMap<String, String>>,
}
