//! The output of a command while it runs, read by a task of its own.

use futures::StreamExt;
use podman_api::{api::Exec, conn::TtyChunk, opts::ExecStartOpts};
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use crate::{error::SandboxError, output::OutputStream, podman::Podman};

/// Chunks that wait for their reader; Podman makes them 8 KiB at most, and waits when we do not read.
const WAITING_CHUNKS: usize = 16;

/// How much of what may be Podman's words is kept.
const LONGEST_WORDS: usize = 1000;

const ACTION: &str = "read the output of a command";

/// The output of a running command. The task ends with it.
pub(crate) struct Attached {
    chunks: mpsc::Receiver<(OutputStream, Vec<u8>)>,
    /// What the command wrote first, if it reads like Podman's own words: Podman speaks in place of a command that it
    /// cannot start.
    podmans_words: Option<String>,
    heard: bool,
    // podman-api panics on a stream that it does not understand; in a task that is an error like any other.
    task: AbortOnDropHandle<Result<(), SandboxError>>,
}

impl Attached {
    /// Starts the command.
    pub(crate) fn start(podman: Podman, exec: Exec) -> Self {
        let (sender, chunks) = mpsc::channel(WAITING_CHUNKS);
        let task = AbortOnDropHandle::new(tokio::spawn(read(podman, exec, sender)));
        Self { chunks, podmans_words: None, heard: false, task }
    }

    /// The next chunk, or none at the end.
    pub(crate) async fn next(&mut self) -> Option<(OutputStream, Vec<u8>)> {
        let (stream, bytes) = self.chunks.recv().await?;
        if !self.heard && stream == OutputStream::Stderr && bytes.starts_with(b"Error: ") {
            let words = &bytes[b"Error: ".len()..bytes.len().min(LONGEST_WORDS)];
            self.podmans_words = Some(String::from_utf8_lossy(words).trim_end().to_owned());
        }
        self.heard = true;
        Some((stream, bytes))
    }

    /// Fails if the end was none, else answers what may be Podman's words. Podman may also have gone away: that is seen
    /// by asking it.
    pub(crate) async fn finish(self) -> Result<Option<String>, SandboxError> {
        self.task.await.map_err(|source| SandboxError::Garbled { action: ACTION, source: source.into() })??;
        Ok(self.podmans_words)
    }
}

async fn read(podman: Podman, exec: Exec, sender: mpsc::Sender<(OutputStream, Vec<u8>)>) -> Result<(), SandboxError> {
    let options = ExecStartOpts::builder().build();
    let stream = podman.call("start a command", exec.start(&options)).await?;
    let Some(mut stream) = stream else { return Ok(()) };
    while let Some(chunk) = stream.next().await {
        let chunk = match chunk.map_err(|error| SandboxError::from_engine(ACTION, error.into()))? {
            TtyChunk::StdOut(bytes) => (OutputStream::Stdout, bytes),
            TtyChunk::StdErr(bytes) => (OutputStream::Stderr, bytes),
            TtyChunk::StdIn(_) => continue,
        };
        if sender.send(chunk).await.is_err() {
            break;
        }
    }
    Ok(())
}
