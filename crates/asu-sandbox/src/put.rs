//! Putting files into a container.

use containers_api::conn::hyper::Body;

use crate::{error::SandboxError, files::Files, podman::within, sandbox::Sandbox};

impl Sandbox {
    /// Puts files below a directory of the container. Podman makes the directory if it is missing, owned by root.
    ///
    /// # Errors
    /// Podman does not answer or refuses, or a file cannot be read.
    pub async fn put(&self, directory: &str, files: Files) -> Result<(), SandboxError> {
        let body = Body::wrap_stream(files.into_tar());
        let limit = self.podman.config().podman_transfer_timeout.get();
        within("put files into a container", limit, self.container().copy_to(directory, body)).await
    }
}
