//! What stands before the S3 server of a test, and spoils some of its requests.

use std::{
    panic::resume_unwind,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures::{StreamExt, stream};
use tokio::{sync::watch, time};

/// What happens to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The server answers with this status and does nothing.
    Status(u16),
    /// The server does what it is asked after a while.
    Delay(Duration),
    /// No answer until the faults are cleared; then the connection breaks.
    Hang,
    /// The connection breaks while the body of the request is on its way.
    CutRequest,
    /// The server does what it is asked, and the connection breaks before it says so.
    CutAnswer,
    /// The connection breaks in the middle of the body of the answer.
    CutBody,
    /// A byte of the request's body changes on its way.
    DamageRequest,
    /// A byte of the answer's body is another one than it should be.
    DamageAnswer,
}

/// The faults of a server, and the requests that it has seen. Clones are the same.
#[derive(Clone, Default)]
pub(super) struct Faults {
    inner: Arc<Mutex<Inner>>,
    cleared: Arc<watch::Sender<()>>,
}

#[derive(Default)]
struct Inner {
    rules: Vec<Rule>,
    seen: Vec<(Method, String)>,
}

struct Rule {
    method: String,
    part: String,
    fault: Fault,
    after: u64,
    times: u64,
}

impl Faults {
    pub(super) fn inject(&self, method: &str, part: &str, fault: Fault, after: u64, times: u64) {
        self.lock().rules.push(Rule { method: method.to_owned(), part: part.to_owned(), fault, after, times });
    }

    pub(super) fn clear(&self) {
        self.lock().rules.clear();
        self.cleared.send_replace(());
    }

    pub(super) fn count(&self, method: &str, part: &str) -> usize {
        self.lock().seen.iter().filter(|(seen, target)| seen == method && target.contains(part)).count()
    }

    /// Remembers the request; the first rule that fits it and is not used up is what happens to it.
    fn meet(&self, method: &Method, target: &str) -> Option<Fault> {
        let mut inner = self.lock();
        inner.seen.push((method.clone(), target.to_owned()));
        let mut fitting =
            inner.rules.iter_mut().filter(|rule| rule.method == method.as_str() && target.contains(&rule.part));
        let rule = fitting.find(|rule| rule.after > 0 || rule.times > 0)?;
        if rule.after > 0 {
            rule.after -= 1;
            return None;
        }
        rule.times -= 1;
        Some(rule.fault)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lets a request through, or does with it what a rule says.
pub(super) async fn pass(State(faults): State<Faults>, request: Request, next: Next) -> Response {
    let mut cleared = faults.cleared.subscribe();
    let Some(fault) = faults.meet(request.method(), &request.uri().to_string()) else {
        return next.run(request).await;
    };
    match fault {
        Fault::Status(status) => StatusCode::from_u16(status).expect("a test names real status codes").into_response(),
        Fault::Delay(duration) => {
            time::sleep(duration).await;
            next.run(request).await
        }
        Fault::Hang => {
            // The sender lives as long as `faults`, so that this can only end by the change.
            let _ = cleared.changed().await;
            break_connection()
        }
        Fault::CutRequest => {
            let _ = request.into_body().into_data_stream().next().await;
            break_connection()
        }
        Fault::CutAnswer => {
            drop(next.run(request).await);
            break_connection()
        }
        Fault::CutBody => cut_in_half(next.run(request).await).await,
        Fault::DamageRequest => {
            let (parts, body) = request.into_parts();
            next.run(Request::from_parts(parts, damaged(body).await)).await
        }
        Fault::DamageAnswer => {
            let (parts, body) = next.run(request).await.into_parts();
            Response::from_parts(parts, damaged(body).await)
        }
    }
}

/// A panic ends the task of the connection, and with it the connection; this one is not printed.
fn break_connection() -> ! {
    resume_unwind(Box::new("the test wants a broken connection"))
}

async fn read(body: Body) -> Bytes {
    to_bytes(body, usize::MAX).await.unwrap_or_default()
}

async fn damaged(body: Body) -> Body {
    let mut bytes = read(body).await.to_vec();
    if let Some(byte) = bytes.last_mut() {
        *byte ^= 1;
    }
    bytes.into()
}

async fn cut_in_half(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let bytes = read(body).await;
    parts.headers.insert(header::CONTENT_LENGTH, bytes.len().into());
    let half = stream::iter([Ok(bytes.slice(..bytes.len() / 2))]);
    let broken = stream::iter([Err(std::io::Error::other("the test wants a broken connection"))]);
    Response::from_parts(parts, Body::from_stream(half.chain(broken)))
}
