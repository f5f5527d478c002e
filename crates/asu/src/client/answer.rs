//! What the server answers, read as tolerantly as clients are asked to.

use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

/// An answer of the server; whatever is not understood stays in the body.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    /// The HTTP status.
    pub(crate) status: u16,
    /// How long the server asks us to wait, if it does.
    pub(crate) retry_after: Option<Duration>,
    /// The body, empty if it is no JSON object (a proxy's error page).
    pub(crate) body: Map<String, Value>,
}

impl Answer {
    /// Reads a body.
    pub(crate) fn new(status: u16, retry_after: Option<Duration>, text: &str) -> Self {
        // Some servers send a byte order mark.
        let body = serde_json::from_str(text.trim_start_matches('\u{feff}')).unwrap_or_default();
        Self { status, retry_after, body }
    }

    /// The server has no capacity now and asks to be asked later.
    pub(crate) fn is_busy(&self) -> bool {
        matches!(self.status, 429 | 503 | 529)
    }

    /// Something between us and the server, or behind it, is away for a moment.
    pub(crate) fn is_passing(&self) -> bool {
        self.is_busy() || matches!(self.status, 502 | 504)
    }

    /// A key of the body.
    pub(crate) fn get<T: DeserializeOwned>(&self, key: &str) -> Option<T> {
        self.body.get(key).and_then(|value| T::deserialize(value).ok())
    }

    /// A text of the body, empty if there is none.
    pub(crate) fn text_of(&self, key: &str) -> String {
        self.get(key).unwrap_or_default()
    }

    /// The answer as one JSON document: the server's own, or what can be said of one that is no JSON object.
    pub(crate) fn document(&self) -> String {
        if self.body.is_empty() {
            json!({"status": self.status, "detail": self.detail()}).to_string()
        } else {
            Value::Object(self.body.clone()).to_string()
        }
    }

    /// The server's own words for this answer.
    pub(crate) fn detail(&self) -> String {
        match self.body.get("detail") {
            Some(Value::String(detail)) => detail.clone(),
            Some(other @ (Value::Array(_) | Value::Object(_))) => other.to_string(),
            Some(Value::Null | Value::Bool(_) | Value::Number(_)) | None => {
                format!("the server answered {}", self.status)
            }
        }
    }

    /// The build that this answer is about. Only what can be one segment of a path is taken for a hash.
    pub(crate) fn request_hash(&self) -> Option<String> {
        let hash: String = self.get("request_hash")?;
        let fits = !hash.is_empty() && hash.len() <= 128 && hash.chars().all(|c| c.is_ascii_alphanumeric());
        fits.then_some(hash)
    }

    /// The end of what the build printed: its errors, or its output where it printed no errors.
    pub(crate) fn log_tail(&self, lines: usize) -> Vec<String> {
        let text = [self.text_of("stderr"), self.text_of("stdout")].into_iter().find(|text| !text.trim().is_empty());
        let text = text.unwrap_or_default();
        let all: Vec<&str> = text.trim_end().lines().collect();
        all[all.len().saturating_sub(lines)..].iter().map(|line| (*line).to_owned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(text: &str) -> Answer {
        Answer::new(500, None, text)
    }

    #[test]
    fn every_kind_of_detail_becomes_a_text() {
        for (body, detail) in [
            (r#"{"detail":"Unsupported version: 1"}"#, "Unsupported version: 1"),
            (r#"{"detail":[{"msg":"bad"}]}"#, r#"[{"msg":"bad"}]"#),
            ("<html>502</html>", "the server answered 500"),
            (r#"{"detail":null}"#, "the server answered 500"),
        ] {
            assert_eq!(answer(body).detail(), detail);
        }
    }

    #[test]
    fn a_hash_is_one_word() {
        assert_eq!(answer(r#"{"request_hash":"ab12"}"#).request_hash().as_deref(), Some("ab12"));
        for body in [r#"{"request_hash":"../x"}"#, r#"{"request_hash":""}"#, r#"{"request_hash":7}"#, "{}"] {
            assert_eq!(answer(body).request_hash(), None, "{body}");
        }
    }

    #[test]
    fn the_tail_is_of_stderr_or_else_of_stdout() {
        assert_eq!(answer(r#"{"stderr":"a\nb\nc\n","stdout":"x"}"#).log_tail(2), ["b", "c"]);
        assert_eq!(answer(r#"{"stderr":"\n","stdout":"x"}"#).log_tail(2), ["x"]);
        assert!(answer("{}").log_tail(2).is_empty());
    }
}
