//! The network of build containers.

use podman_api::opts::NetworkCreateOpts;

use crate::{error::SandboxError, podman::Podman};

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
            NetworkCreateOpts::builder().name(name).driver("bridge").dns_enabled(true).options([("isolate", "true")]);
        match self.call("create the build network", networks.create(&options.build())).await {
            Ok(_) => Ok(()),
            // Another worker was faster.
            Err(error) if error.refusal().is_some_and(|refusal| refusal.code == 409) => Ok(()),
            Err(error) => Err(error),
        }
    }
}
