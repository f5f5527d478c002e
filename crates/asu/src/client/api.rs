//! The three calls of the API that a client makes, and the request for a file.

use std::time::Duration;

use reqwest::{
    Client, RequestBuilder, Response,
    header::{CONTENT_TYPE, RANGE, RETRY_AFTER},
    redirect::Policy,
};
use serde_json::Value;

use crate::client::{answer::Answer, error::ClientError, server_url::ServerUrl};

/// A server that is slower than this to accept a connection is away.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The longest silence within an answer or a download.
const READ_TIMEOUT: Duration = Duration::from_secs(60);
/// The longest that one answer may take; downloads are not limited by it.
const CALL_TIMEOUT: Duration = Duration::from_secs(120);
/// The largest answer; those of finished builds hold what the build printed.
const LARGEST_ANSWER: usize = 64 << 20;
/// A store may send us to an object store, and that to one of its servers.
const MOST_REDIRECTS: usize = 5;

/// A server, as this client talks to it.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    client: Client,
    server: ServerUrl,
}

impl Api {
    /// Nothing is sent yet.
    pub(crate) fn new(server: ServerUrl) -> Result<Self, ClientError> {
        let client = Client::builder()
            .user_agent(super::CLIENT)
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(READ_TIMEOUT)
            .redirect(Policy::limited(MOST_REDIRECTS))
            .build()
            .map_err(ClientError::Http)?;
        Ok(Self { client, server })
    }

    /// Asks what would become of a request.
    pub(crate) async fn prepare(&self, request: &Value) -> Result<Answer, ClientError> {
        let url = self.server.at(&["api", "v1", "build", "prepare"]);
        self.answer(post(&self.client, url, request)).await
    }

    /// Asks for a build; a `prepared` request is built with exactly the packages that it names.
    pub(crate) async fn submit(&self, request: &Value, prepared: bool) -> Result<Answer, ClientError> {
        let mut url = self.server.at(&["api", "v1", "build"]);
        if prepared {
            url.set_query(Some("skip_package_resolution=true"));
        }
        self.answer(post(&self.client, url, request)).await
    }

    /// Asks how a build is going.
    pub(crate) async fn look_up(&self, request_hash: &str) -> Result<Answer, ClientError> {
        self.answer(self.client.get(self.server.at(&["api", "v1", "build", request_hash]))).await
    }

    /// Begins to read a file of the store, from a byte on.
    pub(crate) async fn file(&self, segments: &[&str], from: u64) -> Result<Response, reqwest::Error> {
        let request = self.client.get(self.server.at(&[&["store"], segments].concat()));
        let request = if from > 0 { request.header(RANGE, format!("bytes={from}-")) } else { request };
        request.send().await.map_err(reqwest::Error::without_url)
    }

    /// An answer that is not what it should be.
    pub(crate) fn garbled(&self, what: impl Into<String>) -> ClientError {
        ClientError::Garbled { server: self.server.to_string(), what: what.into() }
    }

    async fn answer(&self, request: RequestBuilder) -> Result<Answer, ClientError> {
        let response = request.timeout(CALL_TIMEOUT).send().await.map_err(|source| self.unreachable(source))?;
        let status = response.status().as_u16();
        let retry_after = retry_after(&response);
        let answer = Answer::new(status, retry_after, &self.read_text(response).await?);
        if answer.body.is_empty() && status < 300 {
            return Err(self.garbled(format!("status {status} without a JSON object")));
        }
        Ok(answer)
    }

    /// The text of an answer, up to a limit.
    pub(crate) async fn read_text(&self, mut response: Response) -> Result<String, ClientError> {
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|source| self.unreachable(source))? {
            if bytes.len() + chunk.len() > LARGEST_ANSWER {
                return Err(self.garbled(format!("more than {LARGEST_ANSWER} bytes")));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn unreachable(&self, source: reqwest::Error) -> ClientError {
        ClientError::Unreachable { server: self.server.to_string(), source: source.without_url() }
    }
}

fn post(client: &Client, url: url::Url, request: &Value) -> RequestBuilder {
    client.post(url).header(CONTENT_TYPE, "application/json").body(request.to_string())
}

/// Seconds only: no server of this API sends a date.
fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}
