//! An answer of a service, with what every answer must have already checked.

use reqwest::{StatusCode, header::HeaderMap};
use serde_json::Value;

/// A JSON answer.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Value,
}

impl Answer {
    /// Reads an answer and checks the rules that hold for all of them.
    ///
    /// # Panics
    /// The answer breaks one of them.
    pub async fn read(response: reqwest::Response) -> Self {
        let (status, headers) = (response.status(), response.headers().clone());
        let url = response.url().clone();
        let origins = headers.get_all("access-control-allow-origin").iter().count();
        assert_eq!(origins, 1, "{url}: an answer has exactly one CORS origin");
        assert!(headers.contains_key("content-length"), "{url}: an answer has its length");
        let text = response.text().await.unwrap();
        let body: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{url}: {error}: {text}"));
        if !status.is_success() {
            assert!(body["detail"].is_string(), "{url}: an error has a text: {body}");
            assert_eq!(body["status"], status.as_u16(), "{url}: an error has its status: {body}");
            assert!(!text.contains("/tmp/") && !text.contains(".rs:"), "{url}: an error leaks: {text}");
        }
        Self { status, headers, body }
    }

    /// The text of the answer.
    pub fn detail(&self) -> &str {
        self.body["detail"].as_str().unwrap_or_default()
    }

    /// Which build it is about.
    ///
    /// # Panics
    /// It does not say.
    pub fn request_hash(&self) -> String {
        self.body["request_hash"].as_str().unwrap_or_else(|| panic!("no request_hash in {self:?}")).to_owned()
    }

    /// A header, empty if it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}
