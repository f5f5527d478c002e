//! Whether the Podman that ends the output of a command is the one that began it.

use std::{path::Path, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
    time::timeout,
};

use crate::error::SandboxError;

const REQUEST: &[u8] = b"GET /_ping HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n";
const ANSWER: &[u8] = b"HTTP/1.1 200 ";

/// A connection that is silent until the end, and dies with the process that accepted it. Needed because a Podman that
/// was restarted forgets that it had just started a command, and then tells of it what it tells of one that succeeded:
/// not running, exit code 0.
pub(crate) struct Witness(UnixStream);

impl Witness {
    /// Connections are accepted in their order, so whoever answers a call made after this one has accepted this one.
    pub(crate) async fn connect(socket: &Path) -> Result<Self, SandboxError> {
        let connected = UnixStream::connect(socket).await;
        let unreachable =
            |error: std::io::Error| SandboxError::Unreachable { action: "reach Podman", source: error.into() };
        connected.map(Self).map_err(unreachable)
    }

    /// True if the process still lives.
    pub(crate) async fn confirm(self, limit: Duration) -> Result<bool, SandboxError> {
        let asked = timeout(limit, self.ask()).await;
        asked.map_err(|_| SandboxError::NoAnswer { action: "ask Podman for a sign of life", limit })
    }

    async fn ask(mut self) -> bool {
        let mut answer = [0; ANSWER.len()];
        self.0.write_all(REQUEST).await.is_ok() && self.0.read_exact(&mut answer).await.is_ok() && answer == ANSWER
    }
}
