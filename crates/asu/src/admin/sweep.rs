//! `asu admin sweep`

use asu_retention::{Removal, Swept};
use indicatif::BinaryBytes;
use serde_json::{Value, json};

use crate::{
    admin::{error::AdminError, scene::Scene},
    exit::Exit,
};

/// Deletes what workers would, or tells what that would be.
pub(super) async fn sweep(scene: &Scene, dry_run: bool) -> Result<Exit, AdminError> {
    let (store, config) = (scene.store().await?, &scene.config.worker.retention);
    if dry_run {
        let plan = asu_retention::plan(&scene.queue, &store, config).await?;
        tell(scene, &Swept { removed: plan.removals, failed: Vec::new() }, true);
        return Ok(Exit::Done);
    }
    match asu_retention::sweep(&scene.queue, &store, config).await? {
        Some(swept) => {
            tell(scene, &swept, false);
            Ok(if swept.failed.is_empty() { Exit::Done } else { Exit::Failed })
        }
        None => Ok(scene.answer("sweep", "taken", "another process sweeps just now", Exit::Failed)),
    }
}

fn tell(scene: &Scene, swept: &Swept, dry_run: bool) {
    let size: u64 = swept.removed.iter().map(|removal| removal.size).sum();
    let failed: Vec<_> = swept.failed.iter().map(ToString::to_string).collect();
    let document = json!({
        "dry_run": dry_run,
        "removed": swept.removed.iter().map(document).collect::<Vec<_>>(),
        "size": size,
        "failed": failed,
    });
    let mut lines: Vec<_> = swept.removed.iter().map(line).collect();
    lines.extend(failed.iter().map(|name| format!("{name}  could not be deleted")));
    let verb = if dry_run { "would be deleted" } else { "deleted" };
    lines.push(format!("{verb}: {} builds, {}", swept.removed.len(), BinaryBytes(size)));
    scene.tell(&document, &lines);
}

fn document(removal: &Removal) -> Value {
    json!({"bin_dir": removal.bin_dir.as_str(), "reason": removal.reason.as_str(), "size": removal.size})
}

fn line(removal: &Removal) -> String {
    format!("{}  {:<8}  {}", removal.bin_dir, removal.reason.as_str(), BinaryBytes(removal.size))
}
