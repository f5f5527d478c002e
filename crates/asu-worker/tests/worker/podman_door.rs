//! The real Podman behind a door that counts calls, refuses some and holds some up.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
};

use asu_test_support::Surroundings;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{UnixListener, UnixStream},
    sync::watch,
};

const REFUSAL: &str = r#"{"message":"no space left on device","cause":"no space left on device","response":500}"#;

/// A socket of one test.
pub(crate) struct PodmanDoor {
    directory: TempDir,
    shared: Arc<Shared>,
}

struct Shared {
    refused: Option<&'static str>,
    held: watch::Sender<Option<&'static str>>,
    calls: Mutex<Vec<String>>,
}

impl PodmanDoor {
    /// Refuses the calls whose first line has `call` in it.
    pub(crate) fn refusing(call: &'static str) -> Self {
        Self::new(Some(call), None)
    }

    /// Holds up the calls whose first line has `call` in it until [`PodmanDoor::release`].
    pub(crate) fn holding(call: &'static str) -> Self {
        Self::new(None, Some(call))
    }

    fn new(refused: Option<&'static str>, held: Option<&'static str>) -> Self {
        let directory = TempDir::with_prefix("door-").unwrap();
        let shared = Shared { refused, held: watch::Sender::new(held), calls: Mutex::default() };
        let door = Self { directory, shared: Arc::new(shared) };
        let (listener, shared) = (UnixListener::bind(door.socket()).unwrap(), Arc::clone(&door.shared));
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                tokio::spawn(hand_on(connection, Arc::clone(&shared)));
            }
        });
        door
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.directory.path().join("podman.sock")
    }

    /// Lets everything through.
    pub(crate) fn release(&self) {
        self.shared.held.send_replace(None);
    }

    /// How many calls had this in their first line, those that are held up included.
    pub(crate) fn count(&self, call: &str) -> usize {
        self.shared.calls.lock().unwrap().iter().filter(|line| line.contains(call)).count()
    }
}

/// Each call has a connection of its own, and its first line comes in one piece.
async fn hand_on(mut connection: UnixStream, shared: Arc<Shared>) {
    let mut head = vec![0; 8192];
    let Ok(size) = connection.read(&mut head).await else { return };
    let line = String::from_utf8_lossy(&head[..size]).lines().next().unwrap_or_default().to_owned();
    shared.calls.lock().unwrap().push(line.clone());
    if shared.refused.is_some_and(|call| line.contains(call)) {
        let length = REFUSAL.len();
        let head =
            format!("HTTP/1.1 500 Internal Server Error\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n");
        let _ = connection.write_all(format!("{head}{REFUSAL}").as_bytes()).await;
        return;
    }
    let mut held = shared.held.subscribe();
    let _ = held.wait_for(|held| held.is_none_or(|call| !line.contains(call))).await;
    let Ok(mut podman) = UnixStream::connect(&Surroundings::get().podman_socket).await else { return };
    if podman.write_all(&head[..size]).await.is_ok() {
        // Whoever closes first ends the call.
        let _ = copy_bidirectional(&mut connection, &mut podman).await;
    }
}
