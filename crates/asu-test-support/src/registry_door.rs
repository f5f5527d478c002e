//! A door in front of the registry: open, closed, or with a broken server behind it. What is pulled through it is on the
//! machine under no name that another test knows.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

use crate::surroundings::Surroundings;

/// What happens to who comes to the door. A change ends the connections that are open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DoorState {
    /// The registry answers.
    Open,
    /// Connections end at once.
    Closed,
    /// Every request is answered with this status.
    Status(u16),
}

/// A TCP proxy on loopback.
#[derive(Debug)]
pub struct RegistryDoor {
    address: SocketAddr,
    state: watch::Sender<DoorState>,
    visits: Arc<AtomicU64>,
    task: JoinHandle<()>,
}

impl RegistryDoor {
    /// A new door, on a port of its own.
    ///
    /// # Panics
    /// No port can be had.
    pub async fn new(state: DoorState) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let (state, visits) = (watch::Sender::new(state), Arc::new(AtomicU64::new(0)));
        let task = tokio::spawn(keep_door(listener, state.clone(), Arc::clone(&visits)));
        Self { address, state, visits, task }
    }

    /// Opens or closes the door.
    pub fn set(&self, state: DoorState) {
        self.state.send_replace(state);
    }

    /// `127.0.0.1:PORT`
    pub fn registry(&self) -> String {
        self.address.to_string()
    }

    /// What names of images begin with that are pulled through this door.
    pub fn base_container(&self) -> String {
        Surroundings::get().base_container.replacen(&Surroundings::get().registry, &self.registry(), 1)
    }

    /// How many connections were made, whatever became of them.
    pub fn visits(&self) -> u64 {
        self.visits.load(Ordering::Relaxed)
    }
}

impl Drop for RegistryDoor {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn keep_door(listener: TcpListener, state: watch::Sender<DoorState>, visits: Arc<AtomicU64>) {
    loop {
        let Ok((visitor, _)) = listener.accept().await else { continue };
        visits.fetch_add(1, Ordering::Relaxed);
        let mut changes = state.subscribe();
        let now = *changes.borrow_and_update();
        tokio::spawn(async move {
            tokio::select! {
                _ = changes.changed() => {}
                () = receive(visitor, now) => {}
            }
        });
    }
}

async fn receive(mut visitor: TcpStream, state: DoorState) {
    match state {
        DoorState::Open => {
            if let Ok(mut registry) = TcpStream::connect(&Surroundings::get().registry).await {
                // How a connection ends is the visitor's business.
                let _ = copy_bidirectional(&mut visitor, &mut registry).await;
            }
        }
        DoorState::Closed => {}
        DoorState::Status(status) => {
            // One request per connection; whoever speaks TLS hears the same.
            let _ = visitor.read(&mut [0; 4096]).await;
            let answer =
                format!("HTTP/1.1 {status} As The Test Wants\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            let _ = visitor.write_all(answer.as_bytes()).await;
        }
    }
}
