//! Getting files out of a container.

use std::path::Path;

use futures::{Stream, StreamExt};
use tokio::{sync::mpsc, task::spawn_blocking, time::timeout};

use crate::{
    archive::{ArchiveLimits, ChannelReader, ExtractedFile, GetError, unpack},
    error::SandboxError,
    sandbox::Sandbox,
};

const ACTION: &str = "get files out of a container";

/// Chunks that wait to be written; Podman makes them 32 KiB.
const WAITING_CHUNKS: usize = 8;

impl Sandbox {
    /// Unpacks a directory of the container into `destination`, which exists, is empty, and is nobody else's. Answers
    /// the files by path. What was written before an error, or before this future was dropped, stays there.
    ///
    /// # Errors
    /// See [`GetError`].
    pub async fn get(
        &self,
        path: &str,
        destination: &Path,
        limits: ArchiveLimits,
    ) -> Result<Vec<ExtractedFile>, GetError> {
        let path = path.trim_end_matches('/');
        let root = path.rsplit('/').next().unwrap_or(path).to_owned();
        let (sender, receiver) = mpsc::channel(WAITING_CHUNKS);
        let destination = destination.to_owned();
        let writer = spawn_blocking(move || unpack(ChannelReader::new(receiver), &root, &destination, limits));
        let container = self.container();
        let limit = self.podman.config().podman_transfer_timeout.get();
        let fed = timeout(limit, self.feed(container.copy_from(path), sender)).await;
        let unpacked =
            writer.await.map_err(|source| SandboxError::Garbled { action: ACTION, source: source.into() })?;
        match fed.unwrap_or(Err(SandboxError::NoAnswer { action: ACTION, limit })) {
            Ok(()) => unpacked,
            // What the program did wrong was seen before the stream broke.
            Err(_) if matches!(unpacked, Err(GetError::Archive(_))) => unpacked,
            Err(error) => Err(self.not_fetched(path, error)),
        }
    }

    fn not_fetched(&self, path: &str, error: SandboxError) -> GetError {
        if error.is_no_such_container() {
            SandboxError::ContainerGone { container: self.name().to_owned() }.into()
        } else if error.is_not_found() {
            GetError::Missing { path: path.to_owned() }
        } else {
            error.into()
        }
    }

    /// Hands on what Podman sends, until one of the two has enough. Dropping the sender ends the archive.
    async fn feed(
        &self,
        stream: impl Stream<Item = podman_api::Result<Vec<u8>>> + Send,
        sender: mpsc::Sender<Vec<u8>>,
    ) -> Result<(), SandboxError> {
        let limit = self.podman.config().podman_timeout.get();
        let mut stream = std::pin::pin!(stream);
        loop {
            let chunk = timeout(limit, stream.next()).await;
            match chunk.map_err(|_| SandboxError::NoAnswer { action: ACTION, limit })? {
                Some(chunk) => {
                    let chunk = chunk.map_err(|error| SandboxError::from_engine(ACTION, error))?;
                    if sender.send(chunk).await.is_err() {
                        return Ok(());
                    }
                }
                None => return Ok(()),
            }
        }
    }
}
