//! What the API hands to the worker.

use asu_core::BuildRequest;
use serde::{Deserialize, Serialize};

/// The form of the record and its payload; goes up with every change that an older process would misread. What an older
/// one may ignore is added without.
const FORMAT: u32 = 1;

/// A build in the queue: the request, and what ties the worker's log to the client's request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueuedBuild {
    /// What to build; packages resolved, profile canonical.
    pub request: BuildRequest,
    /// The id of the HTTP request that asked first.
    pub request_id: Option<String>,
    /// Its W3C trace context.
    pub traceparent: Option<String>,
}

/// A record that this version cannot read.
#[derive(Debug, thiserror::Error)]
pub enum UnreadableBuild {
    /// Another version of the server wrote it.
    #[error("its format is {found}, this version reads {FORMAT}")]
    Format {
        /// The format that was found.
        found: u32,
    },
    /// It does not hold what its format says.
    #[error("it is not what its format says")]
    Content(#[source] serde_json::Error),
}

#[derive(Deserialize)]
struct Head {
    format: u32,
}

#[derive(Deserialize)]
struct Body {
    request: BuildRequest,
    request_id: Option<String>,
    traceparent: Option<String>,
}

#[derive(Serialize)]
struct Payload<'a> {
    format: u32,
    request: &'a BuildRequest,
    request_id: Option<&'a str>,
    traceparent: Option<&'a str>,
}

impl QueuedBuild {
    /// A request without anything to trace it by.
    pub fn new(request: BuildRequest) -> Self {
        Self { request, request_id: None, traceparent: None }
    }

    pub(crate) fn render(&self) -> String {
        let payload = Payload {
            format: FORMAT,
            request: &self.request,
            request_id: self.request_id.as_deref(),
            traceparent: self.traceparent.as_deref(),
        };
        serde_json::to_string(&payload).expect("texts and numbers with text keys always make JSON")
    }

    /// Looks at the format first: a payload of another format may hold anything.
    pub(crate) fn parse(text: &str) -> Result<Self, UnreadableBuild> {
        let Head { format } = serde_json::from_str(text).map_err(UnreadableBuild::Content)?;
        if format != FORMAT {
            return Err(UnreadableBuild::Format { found: format });
        }
        let Body { request, request_id, traceparent } = serde_json::from_str(text).map_err(UnreadableBuild::Content)?;
        Ok(Self { request, request_id, traceparent })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn build() -> QueuedBuild {
        let request = serde_json::json!({
            "distro": "openwrt", "version": "24.10.2", "version_code": "", "target": "ath79/generic",
            "profile": "tplink_archer-c7-v5", "packages": ["vim", "-ppp"], "packages_versions": {"vim": "9.1"},
            "diff_packages": true, "defaults": "echo hi", "rootfs_size_mb": 256, "filesystem": "squashfs",
            "repositories": {}, "repositories_mode": "append", "repository_keys": [], "client": "owut", "from_version": null,
        });
        QueuedBuild {
            request: serde_json::from_value(request).unwrap(),
            request_id: Some("r-1".to_owned()),
            traceparent: None,
        }
    }

    #[test]
    fn a_payload_comes_back_as_it_was() {
        assert_eq!(QueuedBuild::parse(&build().render()).unwrap(), build());
    }

    #[test]
    fn another_format_is_refused_by_its_number_and_not_by_its_content() {
        let error = QueuedBuild::parse(r#"{"format": 2, "request": "elsewhere"}"#).unwrap_err();
        assert_eq!(error.to_string(), "its format is 2, this version reads 1");
        for text in ["", "{}", r#"{"format": 1}"#] {
            assert!(matches!(QueuedBuild::parse(text), Err(UnreadableBuild::Content(_))), "{text:?}");
        }
    }
}
