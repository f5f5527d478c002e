//! The HTTP/1.1 server: accepting under a limit, timing out silence, and ending in order.
//!
//! HTTP/1.1 alone, because clients and nginx speak nothing else to it, and because telling protocols apart would wait
//! without a limit for a connection's first bytes.

use std::{convert::Infallible, io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, body::Body, extract::ConnectInfo};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::{GracefulShutdown, Watcher},
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;

use crate::{
    config::Config,
    connection::{Activity, Lingering, TrackedBody},
    service::Service,
    shutdown::Shutdown,
};

/// How long to wait after an error of `accept`, which mostly means that there are no file descriptors left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Listening failed.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}")]
pub struct BindError {
    address: String,
    source: io::Error,
}

/// How serving ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drained {
    /// Connections that were still busy when the grace was over.
    pub cut_off: usize,
}

/// Listens where the settings say and logs the address, with the real port if the settings say 0.
///
/// # Errors
/// The address is taken, not ours, or no address.
pub async fn bind(service: &Service, config: &Config) -> Result<TcpListener, BindError> {
    let address = config.address(service);
    let bound = TcpListener::bind(&address).await.and_then(|listener| Ok((listener.local_addr()?, listener)));
    let (actual, listener) = bound.map_err(|source| BindError { address, source })?;
    tracing::info!(service = service.name, version = service.version, address = %actual, "listening");
    Ok(listener)
}

/// Serves `app` until `shutdown` begins: then nothing is accepted any more, running requests have `shutdown_grace`
/// to finish, and what is left is named and closed.
pub async fn serve(listener: TcpListener, app: Router, shutdown: &Shutdown, config: &Config) -> Drained {
    let server = Server::new(app, config);
    loop {
        tokio::select! {
            biased;
            () = shutdown.begun() => break,
            (stream, peer, permit) = server.accept(&listener) => server.spawn(stream, peer, permit),
        }
    }
    drop(listener);
    server.drain(shutdown.grace_left(config.shutdown_grace.get())).await
}

struct Server {
    app: Router,
    http: http1::Builder,
    permits: Arc<Semaphore>,
    graceful: GracefulShutdown,
    connections: TaskTracker,
    cut: CancellationToken,
    write_timeout: Duration,
}

impl Server {
    fn new(app: Router, config: &Config) -> Self {
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new());
        http.header_read_timeout(config.header_timeout.get());
        http.max_header_size(usize::try_from(config.max_header_size.get()).unwrap_or(usize::MAX));
        let connections = usize::try_from(config.max_connections).unwrap_or(usize::MAX);
        Self {
            app,
            http,
            permits: Arc::new(Semaphore::new(connections.min(Semaphore::MAX_PERMITS))),
            graceful: GracefulShutdown::new(),
            connections: TaskTracker::new(),
            cut: CancellationToken::new(),
            write_timeout: config.write_timeout.get(),
        }
    }

    async fn accept(&self, listener: &TcpListener) -> (TcpStream, SocketAddr, OwnedSemaphorePermit) {
        let permit = self.permits.clone().acquire_owned().await.expect("the semaphore is never closed");
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => return (stream, peer, permit),
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn spawn(&self, stream: TcpStream, peer: SocketAddr, permit: OwnedSemaphorePermit) {
        let (app, http, watcher) = (self.app.clone(), self.http.clone(), self.graceful.watcher());
        let (cut, write_timeout) = (self.cut.clone(), self.write_timeout);
        self.connections.spawn(async move {
            drive(stream, peer, app, http, watcher, cut, write_timeout).await;
            drop(permit);
        });
    }

    async fn drain(self, grace: Duration) -> Drained {
        self.connections.close();
        let drained = tokio::time::timeout(grace, self.graceful.shutdown()).await;
        let cut_off = if drained.is_ok() { 0 } else { self.connections.len() };
        self.cut.cancel();
        self.connections.wait().await;
        Drained { cut_off }
    }
}

async fn drive(
    stream: TcpStream,
    peer: SocketAddr,
    app: Router,
    http: http1::Builder,
    watcher: Watcher,
    cut: CancellationToken,
    write_timeout: Duration,
) {
    // Answers are written whole; waiting to fill a packet would only delay them.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%peer, %error, "connection lost");
        return;
    }
    let activity = Arc::new(Activity::default());
    let handle = service_fn(|request: hyper::Request<Incoming>| answer(request, peer, app.clone(), activity.clone()));
    let socket = TokioIo::new(Lingering::new(stream, activity.clone(), write_timeout));
    tokio::select! {
        ended = watcher.watch(http.serve_connection(socket, handle)) => {
            if let Err(error) = ended {
                tracing::debug!(%peer, error = crate::error_chain(&error), "connection ended");
            }
        }
        () = cut.cancelled() => tracing::warn!(%peer, request = activity.describe(), "cut off at shutdown"),
    }
}

async fn answer(
    request: hyper::Request<Incoming>,
    peer: SocketAddr,
    app: Router,
    activity: Arc<Activity>,
) -> Result<axum::response::Response, Infallible> {
    activity.begin(&request);
    let mut request = request.map(|body| Body::new(TrackedBody::new(body, activity)));
    request.extensions_mut().insert(ConnectInfo(peer));
    app.oneshot(request).await
}
