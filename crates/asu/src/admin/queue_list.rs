//! `asu admin queue list`

use std::cmp::Reverse;

use asu_queue::{BuildRecord, LiveWorker};
use serde_json::json;

use crate::{
    admin::{error::AdminError, run::State, scene::Scene, view},
    exit::Exit,
};

/// Builds that run, then those that wait in the order of the line, then those that ended, the latest first.
pub(super) async fn list(scene: &Scene, state: Option<State>, limit: usize) -> Result<Exit, AdminError> {
    let builds = scene.queue.known_builds().await?;
    let mut records = scene.queue.records(&builds).await?;
    records.retain(|record| state.is_none_or(|state| record.state == state.as_str()));
    records.sort_by_key(rank);
    let all = records.len();
    records.truncate(limit);
    let workers = scene.queue.workers().await?;
    let document = json!({
        "builds": records.iter().map(view::document).collect::<Vec<_>>(),
        "all_builds": all,
        "workers": workers.iter().map(worker_document).collect::<Vec<_>>(),
    });
    let mut lines: Vec<_> = records.iter().map(view::line).collect();
    lines.push(format!("{} of {all} builds", records.len()));
    lines.extend(workers.iter().map(worker_line));
    scene.tell(&document, &lines);
    Ok(Exit::Done)
}

fn rank(record: &BuildRecord) -> (u8, u64, Reverse<u64>) {
    let at = |time: Option<asu_queue::UnixMillis>| time.map_or(0, asu_queue::UnixMillis::get);
    match record.state.as_str() {
        "started" => (0, at(record.started_at), Reverse(0)),
        "queued" => (1, record.seq, Reverse(0)),
        _ => (2, 0, Reverse(at(record.finished_at))),
    }
}

fn worker_document(worker: &LiveWorker) -> serde_json::Value {
    json!({
        "name": worker.name.as_str(),
        "slots": worker.slots,
        "drained": worker.drained,
        "builds": worker.builds,
    })
}

fn worker_line(worker: &LiveWorker) -> String {
    let drained = if worker.drained { ", drained" } else { "" };
    format!("worker {}: runs {} of {}{drained}", worker.name, worker.builds.len(), worker.slots)
}
