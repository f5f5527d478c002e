//! A server that gives the answers it was told, in their order, and remembers what it was asked.

use std::{
    collections::{HashMap, VecDeque},
    io,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::header::{CONTENT_LENGTH, CONTENT_RANGE, RANGE},
    response::Response,
};
use bytes::Bytes;
use futures::{StreamExt, stream};
use serde_json::Value;
use tokio::net::TcpListener;

/// One answer.
#[derive(Clone)]
pub(crate) enum Reply {
    /// A JSON document.
    Json(u16, Value),
    /// A JSON document that asks to come back in so many seconds.
    Later(u16, u64, Value),
    /// Something that is not JSON.
    Text(u16, &'static str),
    /// A file, of which a part may be asked for.
    File(Vec<u8>),
    /// A file of which parts cannot be asked for.
    WholeFile(Vec<u8>),
    /// The connection breaks after so many bytes of an answer.
    Broken(Vec<u8>, usize),
    /// No answer, for ever.
    Silence,
}

/// A request that was made.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    /// `POST /api/v1/build?x=y`
    pub(crate) what: String,
    pub(crate) body: Value,
    pub(crate) range: Option<String>,
    pub(crate) user_agent: String,
}

#[derive(Default)]
struct Inner {
    scripts: HashMap<String, VecDeque<Reply>>,
    seen: Vec<Seen>,
}

/// The server; it stops with the test.
#[derive(Clone)]
pub(crate) struct FakeServer {
    pub(crate) url: String,
    inner: Arc<Mutex<Inner>>,
}

impl FakeServer {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = Self { url, inner: Arc::default() };
        let app = Router::new().fallback(answer).with_state(server.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        server
    }

    /// Answers `METHOD /path` with these, one after the other; the last one stays.
    pub(crate) fn on(&self, what: &str, replies: impl IntoIterator<Item = Reply>) -> &Self {
        self.inner.lock().unwrap().scripts.insert(what.to_owned(), replies.into_iter().collect());
        self
    }

    /// What was asked, in its order.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.inner.lock().unwrap().seen.clone()
    }

    /// The requests that begin so.
    pub(crate) fn seen_of(&self, what: &str) -> Vec<Seen> {
        self.seen().into_iter().filter(|seen| seen.what.starts_with(what)).collect()
    }

    fn next(&self, what: &str, seen: Seen) -> Option<Reply> {
        let mut inner = self.inner.lock().unwrap();
        inner.seen.push(seen);
        let script = inner.scripts.get_mut(what)?;
        if script.len() > 1 { script.pop_front() } else { script.front().cloned() }
    }
}

async fn answer(State(server): State<FakeServer>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let header = |name| parts.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    let bytes = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let range = header(RANGE);
    let seen = Seen {
        what: format!("{} {}", parts.method, parts.uri),
        body: serde_json::from_slice(&bytes).unwrap_or_default(),
        range: range.clone(),
        user_agent: header(axum::http::header::USER_AGENT).unwrap_or_default(),
    };
    match server.next(&format!("{} {}", parts.method, parts.uri.path()), seen) {
        Some(reply) => render(reply, range).await,
        None => json(404, &serde_json::json!({"status": 404, "detail": "not in the script of this test"})),
    }
}

async fn render(reply: Reply, range: Option<String>) -> Response {
    match reply {
        Reply::Json(status, body) => json(status, &body),
        Reply::Later(status, seconds, body) => {
            let mut response = json(status, &body);
            response.headers_mut().insert("retry-after", seconds.into());
            response
        }
        Reply::Text(status, text) => Response::builder().status(status).body(text.into()).unwrap(),
        Reply::File(bytes) => part(bytes, range),
        Reply::WholeFile(bytes) => Response::new(bytes.into()),
        Reply::Broken(bytes, after) => broken(&bytes, after),
        Reply::Silence => std::future::pending().await,
    }
}

fn json(status: u16, body: &Value) -> Response {
    Response::builder().status(status).body(body.to_string().into()).unwrap()
}

fn part(bytes: Vec<u8>, range: Option<String>) -> Response {
    let Some(range) = range else { return Response::new(bytes.into()) };
    let from: usize = range.strip_prefix("bytes=").unwrap().strip_suffix('-').unwrap().parse().unwrap();
    if from >= bytes.len() {
        return Response::builder().status(416).body(Body::empty()).unwrap();
    }
    let content_range = format!("bytes {from}-{}/{}", bytes.len() - 1, bytes.len());
    Response::builder().status(206).header(CONTENT_RANGE, content_range).body(bytes[from..].to_vec().into()).unwrap()
}

fn broken(bytes: &[u8], after: usize) -> Response {
    let start = Ok(Bytes::copy_from_slice(&bytes[..after]));
    // The break comes after the bytes were sent, or the client would never see them.
    let end = stream::once(async {
        tokio::task::yield_now().await;
        Err(io::Error::other("told to break"))
    });
    let body = Body::from_stream(stream::iter([start]).chain(end));
    Response::builder().header(CONTENT_LENGTH, bytes.len()).body(body).unwrap()
}
