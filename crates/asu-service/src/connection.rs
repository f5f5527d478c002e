//! One connection: what it is doing, and how it ends without cutting off an answer.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::http::{Method, Request, Uri};
use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::Sleep,
};

/// How long the rest of an unread body is received and thrown away after the answer. Closing a socket with unread
/// data resets it, and the reset may overtake the answer: a client would see that instead of the 413.
const LINGER: Duration = Duration::from_secs(2);

/// What a connection is doing, shared between its socket, its requests' bodies and whoever must name it.
#[derive(Debug, Default)]
pub(crate) struct Activity {
    unread_body: AtomicBool,
    request: Mutex<Option<(Method, Uri)>>,
}

impl Activity {
    pub(crate) fn begin<B>(&self, request: &Request<B>) {
        self.unread_body.store(false, Ordering::Relaxed);
        let what = (request.method().clone(), request.uri().clone());
        *self.request.lock().unwrap_or_else(PoisonError::into_inner) = Some(what);
    }

    /// The request that the connection is at, or was at last.
    pub(crate) fn describe(&self) -> String {
        match &*self.request.lock().unwrap_or_else(PoisonError::into_inner) {
            Some((method, uri)) => format!("{method} {}", uri.path()),
            None => "no request yet".to_owned(),
        }
    }
}

/// A request's body that notes if it was dropped before its end.
pub(crate) struct TrackedBody {
    body: Incoming,
    ended: bool,
    activity: Arc<Activity>,
}

impl TrackedBody {
    pub(crate) fn new(body: Incoming, activity: Arc<Activity>) -> Self {
        Self { ended: body.is_end_stream(), body, activity }
    }
}

impl Body for TrackedBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        self.ended |= frame.is_none();
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for TrackedBody {
    fn drop(&mut self) {
        if !(self.ended || self.body.is_end_stream()) {
            self.activity.unread_body.store(true, Ordering::Relaxed);
        }
    }
}

/// A socket that, if the body of the last request was not read, is closed only after the client has had its answer.
pub(crate) struct Lingering {
    stream: TcpStream,
    activity: Arc<Activity>,
    deadline: Option<Pin<Box<Sleep>>>,
    write_timeout: Duration,
    /// Runs while the client takes nothing.
    stalled: Option<Pin<Box<Sleep>>>,
}

impl Lingering {
    /// A client that takes nothing of its answer for `write_timeout` is given up.
    pub(crate) fn new(stream: TcpStream, activity: Arc<Activity>, write_timeout: Duration) -> Self {
        Self { stream, activity, deadline: None, write_timeout, stalled: None }
    }

    fn in_time(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let limit = self.write_timeout;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(tokio::time::sleep(limit)));
        ready!(stalled.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }

    /// Receives and throws away until the client closes, breaks off or has had its time.
    fn poll_discard(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let deadline = self.deadline.get_or_insert_with(|| Box::pin(tokio::time::sleep(LINGER)));
        if deadline.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        let mut room = [0; 8 * 1024];
        loop {
            let mut buffer = ReadBuf::new(&mut room);
            match ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buffer)) {
                Ok(()) if !buffer.filled().is_empty() => {}
                Ok(()) | Err(_) => return Poll::Ready(()),
            }
        }
    }
}

impl AsyncRead for Lingering {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Lingering {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.in_time(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.in_time(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.deadline.is_none() {
            ready!(Pin::new(&mut self.stream).poll_shutdown(cx))?;
        }
        if self.activity.unread_body.load(Ordering::Relaxed) {
            ready!(self.poll_discard(cx));
        }
        Poll::Ready(Ok(()))
    }
}
