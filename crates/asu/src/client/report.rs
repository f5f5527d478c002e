//! What `asu build --json` tells a script at the end, however it ended.

use std::path::Path;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::client::{answer::Answer, error::ClientError, image::Image};

/// The document; every key is always there, save `error`, `hint` and `stderr`, which failures have.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Report {
    /// The build, once the server has named it.
    pub(crate) request_hash: Option<String>,
    /// The status of the server's last answer, if there was one.
    pub(crate) status: Option<u16>,
    /// `done`, or what went wrong.
    pub(crate) detail: String,
    /// The server's name for the kind of failure.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) error: String,
    /// What the server says may help.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) hint: String,
    /// The end of what a failed build printed.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) stderr: String,
    /// What was changed in the package list.
    pub(crate) changes: Vec<Value>,
    /// The images that are here now.
    pub(crate) files: Vec<StoredFile>,
    /// Installed packages with their versions.
    pub(crate) manifest: Map<String, Value>,
}

/// An image that is here now.
#[derive(Debug, Serialize)]
pub(crate) struct StoredFile {
    /// Its name.
    pub(crate) name: String,
    /// Where it is.
    pub(crate) path: String,
    /// What its content has.
    pub(crate) sha256: String,
    /// In bytes.
    pub(crate) size: u64,
    /// Such as `sysupgrade`.
    #[serde(rename = "type")]
    pub(crate) kind: Option<String>,
    /// Such as `squashfs`.
    pub(crate) filesystem: Option<String>,
}

impl StoredFile {
    /// An image that was put somewhere.
    pub(crate) fn new(image: &Image, path: &Path, size: u64) -> Self {
        Self {
            name: image.name.to_string(),
            path: path.display().to_string(),
            sha256: image.sha256.clone(),
            size,
            kind: image.kind.clone(),
            filesystem: image.filesystem.clone(),
        }
    }
}

/// How much of a failed build's output is passed on, in lines.
pub(crate) const LOG_TAIL: usize = 20;

impl Report {
    /// Takes over what an answer tells.
    pub(crate) fn note_answer(&mut self, answer: &Answer) {
        self.status = Some(answer.status);
        self.request_hash = answer.request_hash().or_else(|| self.request_hash.take());
        if answer.status == 200 {
            self.manifest = answer.get("manifest").unwrap_or_default();
        }
    }

    /// Takes over how it ended.
    pub(crate) fn note_end(&mut self, outcome: &Result<(), ClientError>) {
        let Err(error) = outcome else {
            "done".clone_into(&mut self.detail);
            return;
        };
        self.detail = error.to_string();
        if let ClientError::Refused(answer) = error {
            self.status = Some(answer.status);
            self.error = answer.text_of("error");
            self.hint = answer.text_of("hint");
            self.stderr = answer.log_tail(LOG_TAIL).join("\n");
        }
    }

    /// The document.
    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("texts and numbers can be JSON")
    }
}
