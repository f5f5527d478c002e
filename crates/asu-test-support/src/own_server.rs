//! An HTTP server on loopback with threads of its own, which can go away and come back.

use std::{
    net::SocketAddr,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use axum::Router;
use tokio::{net::TcpListener, runtime::Runtime, time};

use crate::port;

/// No wait of a test takes longer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Answers also while a test's threads are busy, and keeps its port while it is away.
pub(crate) struct OwnServer {
    address: SocketAddr,
    router: Router,
    running: Mutex<Option<Runtime>>,
}

impl OwnServer {
    /// Serves on a free port.
    ///
    /// # Panics
    /// No port or thread can be had.
    pub(crate) async fn start(router: Router) -> Self {
        let (runtime, address) = serve(port::listen().await, router.clone());
        Self { address, router, running: Mutex::new(Some(runtime)) }
    }

    /// `http://127.0.0.1:PORT`, without a slash at the end.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Stops listening and closes every connection.
    ///
    /// # Panics
    /// The port does not become free.
    pub(crate) async fn go_away(&self) {
        let Some(runtime) = self.take() else { return };
        runtime.shutdown_background();
        // The runtime ends on its own threads; a port that can be bound again says that it did.
        time::timeout(PATIENCE, bind(self.address)).await.expect("the port of the server does not become free");
    }

    /// Listens again on the same port.
    ///
    /// # Panics
    /// The port was taken by somebody else.
    pub(crate) async fn come_back(&self) {
        self.go_away().await;
        let listener = time::timeout(PATIENCE, bind(self.address)).await.expect("the port of the server was taken");
        let (runtime, _) = serve(listener, self.router.clone());
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = Some(runtime);
    }

    /// Serves something behind another socket, too, until it goes away.
    ///
    /// # Panics
    /// The server is away.
    pub(crate) fn serve_behind(&self, listener: TcpListener, router: Router) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.as_ref().expect("the server is there").spawn(async move { axum::serve(listener, router).await });
    }

    fn take(&self) -> Option<Runtime> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        if let Some(runtime) = self.take() {
            runtime.shutdown_background();
        }
    }
}

fn serve(listener: TcpListener, router: Router) -> (Runtime, SocketAddr) {
    let address = listener.local_addr().expect("a bound socket has an address");
    let listener = listener.into_std().expect("a new socket has nothing to lose");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a thread for a server of a test");
    runtime.spawn(async move {
        let listener = TcpListener::from_std(listener).expect("the socket moves to another runtime");
        axum::serve(listener, router).await
    });
    (runtime, address)
}

/// A port that was just given up may stay bound for a moment.
async fn bind(address: SocketAddr) -> TcpListener {
    loop {
        match TcpListener::bind(address).await {
            Ok(listener) => return listener,
            Err(_) => time::sleep(Duration::from_millis(2)).await,
        }
    }
}
