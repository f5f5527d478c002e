//! `asu admin show`

use std::slice;

use asu_core::{BuildOutcome, RequestHash};
use serde_json::{Value, json};

use crate::{
    admin::{error::AdminError, scene::Scene, view},
    exit::Exit,
};

/// The record, the request, and how the build ended.
pub(super) async fn show(scene: &Scene, request_hash: &RequestHash) -> Result<Exit, AdminError> {
    let records = scene.queue.records(slice::from_ref(request_hash)).await?;
    let Some(record) = records.first() else {
        return Ok(scene.answer(request_hash.as_str(), "unknown", "there is no such build", Exit::Failed));
    };
    let mut document = view::document(record);
    document["request"] = json!(record.request);
    // What another version wrote is shown as far as it goes.
    if let Ok(Some(finished)) = scene.queue.outcome(request_hash).await {
        document["outcome"] = outcome(&finished.outcome);
    }
    let text = serde_json::to_string_pretty(&document).unwrap_or_default();
    scene.tell(&document, &[text]);
    Ok(Exit::Done)
}

fn outcome(outcome: &BuildOutcome) -> Value {
    match outcome {
        BuildOutcome::Done(result) => json!({"build_cmd": result.build_cmd, "bin_dir": result.bin_dir}),
        BuildOutcome::Failed(failed) => json!({
            "error": failed.failure.kind(),
            "detail": failed.failure.to_string(),
            "build_cmd": failed.build_cmd,
            "stdout": failed.log.stdout,
            "stderr": failed.log.stderr,
        }),
    }
}
