//! Requests as attackers send them, and what came back.

use std::net::SocketAddr;

use asu_tests::{Answer, Deployment, raw, request};
use serde_json::Value;

/// What came back on a connection that the server then closed.
#[derive(Debug)]
pub(crate) struct Reply(pub(crate) String);

impl Reply {
    /// The statuses of all answers, in their order.
    pub(crate) fn statuses(&self) -> Vec<u16> {
        let starts = self.0.split("HTTP/1.1 ").skip(1);
        starts.map(|answer| answer.get(..3).and_then(|status| status.parse().ok()).unwrap_or_default()).collect()
    }

    /// The only answer's status; 0 if there is none or more than one.
    pub(crate) fn status(&self) -> u16 {
        match *self.statuses() {
            [status] => status,
            _ => 0,
        }
    }

    /// The headers in lower case, and the body as it is.
    pub(crate) fn parts(&self) -> (String, &str) {
        let (head, body) = self.0.split_once("\r\n\r\n").unwrap_or((&self.0, ""));
        (head.to_ascii_lowercase(), body)
    }
}

/// Sends bytes as they are.
pub(crate) async fn send(address: SocketAddr, bytes: &[u8]) -> Reply {
    Reply(raw(address, bytes).await)
}

/// Asks for a target as it is written here: no client would send most of them.
pub(crate) async fn get(address: SocketAddr, target: &str) -> Reply {
    get_with(address, target, b"").await
}

/// The same with more header lines, each with its end.
pub(crate) async fn get_with(address: SocketAddr, target: &str, headers: &[u8]) -> Reply {
    let head = format!("GET {target} HTTP/1.1\r\nHost: asu.example\r\nConnection: close\r\n");
    send(address, &[head.as_bytes(), headers, b"\r\n"].concat()).await
}

/// Posts a body that may be no JSON to the build service.
pub(crate) async fn submit(deployment: &Deployment, body: impl Into<Vec<u8>>) -> Answer {
    let url = format!("{}/api/v1/build", deployment.build.url());
    Answer::read(deployment.client.post(url).body(body.into()).send().await.unwrap()).await
}

/// A good request with one field changed.
pub(crate) fn with(field: &str, value: impl Into<Value>) -> Value {
    let mut body = request("24.10.4", &["tmux"]);
    body[field] = value.into();
    body
}

/// A server on which only the tested thing can stand in a request's way.
pub(crate) const PATIENT: [(&str, &str); 3] =
    [("client_pending_jobs", "0"), ("client_builds_per_hour", "0"), ("max_pending_jobs", "10000")];
