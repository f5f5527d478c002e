//! How a record is shown.

use std::time::Duration;

use asu_queue::{BuildRecord, UnixMillis};
use serde_json::{Value, json};

/// A record for scripts, without the request.
pub(super) fn document(record: &BuildRecord) -> Value {
    let request = record.request.as_ref();
    json!({
        "request_hash": record.request_hash,
        "state": record.state,
        "line": record.line,
        "version": request.map(|request| request.version.to_string()),
        "target": request.map(|request| request.target.to_string()),
        "profile": request.map(|request| request.profile.to_string()),
        "worker": record.worker,
        "stage": record.stage,
        "tries": record.tries,
        "postponed": record.postponed,
        "enqueued_at": record.enqueued_at.map(time),
        "started_at": record.started_at.map(time),
        "finished_at": record.finished_at.map(time),
        "due_seconds": record.due.map(|due| due.as_secs()),
        "expires_seconds": record.expires.map(|left| left.as_secs()),
        "bin_dir": record.stored_name(),
        "size": record.size,
    })
}

/// A record in one line for people.
pub(super) fn line(record: &BuildRecord) -> String {
    let what = match &record.request {
        Some(request) => format!("{} {} {}", request.version, request.target, request.profile),
        None => "of another version of this server".to_owned(),
    };
    let mut words = vec![record.request_hash.to_string(), format!("{:<7}", record.state), what];
    if let Some(worker) = &record.worker {
        words.push(format!("on {worker}, {}", record.stage.as_deref().unwrap_or("?")));
    }
    if let (Some("delayed"), Some(due)) = (record.line.as_deref(), record.due) {
        words.push(format!("put off {} times, due in {}", record.postponed, seconds(due)));
    }
    if let Some(left) = record.expires {
        words.push(format!("expires in {}", seconds(left)));
    }
    words.join("  ")
}

/// RFC 3339, on Redis's clock.
pub(super) fn time(at: UnixMillis) -> String {
    let millis = i64::try_from(at.get()).unwrap_or(i64::MAX);
    jiff::Timestamp::from_millisecond(millis).map(|at| at.to_string()).unwrap_or_default()
}

/// A length of time in whole seconds.
pub(super) fn seconds(duration: Duration) -> String {
    format!("{} s", duration.as_secs())
}
