//! `asu admin check`

use asu_retention::CheckReport;
use serde_json::json;

use crate::{
    admin::{error::AdminError, scene::Scene},
    exit::Exit,
};

/// Tells each disagreement between Redis and the store; fails if there is any.
pub(super) async fn check(scene: &Scene) -> Result<Exit, AdminError> {
    let store = scene.store().await?;
    let CheckReport { records, stored, expired, disagreements } = asu_retention::check(&scene.queue, &store).await?;
    let found = disagreements.iter().map(|disagreement| {
        json!({
            "kind": disagreement.kind(),
            "request_hash": disagreement.request_hash(),
            "text": disagreement.to_string(),
        })
    });
    let document = json!({
        "ok": disagreements.is_empty(),
        "records": records,
        "stored": stored,
        "expired": expired,
        "disagreements": found.collect::<Vec<_>>(),
    });
    let mut lines: Vec<_> = disagreements.iter().map(ToString::to_string).collect();
    lines.push(format!(
        "{records} records, {stored} stored builds ({expired} to be swept), {} disagreements",
        lines.len()
    ));
    scene.tell(&document, &lines);
    Ok(if disagreements.is_empty() { Exit::Done } else { Exit::Failed })
}
