//! What the tests of requests share.

use asu_core::{BuildRequest, Faults, RequestForm};
use serde_json::{Value, json};

mod limits;
pub(crate) use limits::LIMITS;

/// A request that nothing is wrong with.
pub(crate) fn request_json() -> Value {
    json!({
        "version": "24.10.4", "target": "ath79/generic", "profile": "8dev_carambola2", "packages": ["auc", "tmux"],
    })
}

pub(crate) fn parse(body: &Value, form: RequestForm) -> Result<BuildRequest, Faults> {
    BuildRequest::parse(body.to_string().as_bytes(), form, &LIMITS)
}
