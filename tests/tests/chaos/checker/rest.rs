//! Everything comes to rest, and nothing is left over but results.

use super::Violations;
use crate::history::History;

/// Keys that may stay for ever: they do not grow, or only with what is in the store.
const LASTING: [&str; 6] = ["seq", "id", "workers", "stored", "drained", "images"];
/// What only exists while there is something to do.
const WORK: [&str; 3] = ["pending", "running", "delayed"];

pub(super) fn check(history: &History) -> Violations {
    let rest = &history.rest;
    let mut found = Violations::new();
    if !rest.came {
        found.push("builds still wait or run, or something is left of them, long after the last request".to_owned());
    }
    let unrecovered = history.troubles.iter().filter(|trouble| trouble.recovered.is_none());
    found.extend(unrecovered.map(|trouble| format!("no recovery without a human: {trouble:?}")));
    found.extend(rest.containers.iter().map(|name| format!("a container is left: {name}")));
    found.extend(rest.half_made.iter().map(|name| format!("left in the store: {name}")));
    for (key, expires) in &rest.keys {
        let name = key.split_once(':').map_or("", |(_, name)| name);
        if WORK.contains(&name) || (!expires && !LASTING.contains(&name)) {
            found.push(format!("a key is left that never goes: {key}"));
        }
    }
    let unended = rest.records.iter().filter(|record| !["done", "failed"].contains(&record.state.as_str()));
    found.extend(unended.map(|record| format!("a build without an end: {record:?}")));
    found
}
