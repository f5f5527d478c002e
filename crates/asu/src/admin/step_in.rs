//! The commands that change what becomes of a build, or of what a worker takes.

use std::slice;

use asu_core::RequestHash;
use asu_queue::{Cancelled, Retried, WorkerName};
use asu_store::BinDir;

use crate::{
    admin::{error::AdminError, scene::Scene},
    exit::Exit,
};

const UNKNOWN: (&str, &str, Exit) = ("unknown", "there is no such build", Exit::Failed);

/// `asu admin cancel`
pub(super) async fn cancel(scene: &Scene, request_hash: &RequestHash) -> Result<Exit, AdminError> {
    let (word, sentence, exit) = match scene.queue.cancel(request_hash).await? {
        Cancelled::Waiting => ("cancelled", "cancelled, it has left the line", Exit::Done),
        Cancelled::Running => ("cancelled", "cancelled, its worker kills the container", Exit::Done),
        Cancelled::Ended => ("ended", "it had ended before", Exit::Failed),
        Cancelled::Unknown => UNKNOWN,
    };
    Ok(scene.answer(request_hash.as_str(), word, sentence, exit))
}

/// `asu admin retry`
pub(super) async fn retry(scene: &Scene, request_hash: &RequestHash) -> Result<Exit, AdminError> {
    let (word, sentence, exit) = match scene.queue.retry(request_hash).await? {
        Retried::Again => ("again", "it stands in line again", Exit::Done),
        Retried::Due => ("due", "it is due now", Exit::Done),
        Retried::Waiting => ("waiting", "it waits in line already", Exit::Done),
        Retried::Started => ("started", "it runs already", Exit::Done),
        Retried::Done => ("done", "it is done; forget it to have it built again", Exit::Failed),
        Retried::Unknown => UNKNOWN,
    };
    Ok(scene.answer(request_hash.as_str(), word, sentence, exit))
}

/// `asu admin forget`: the record first, so that nobody is given a link to what is about to go.
pub(super) async fn forget(scene: &Scene, request_hash: &RequestHash) -> Result<Exit, AdminError> {
    let records = scene.queue.records(slice::from_ref(request_hash)).await?;
    let Some(record) = records.first() else {
        let (word, sentence, exit) = UNKNOWN;
        return Ok(scene.answer(request_hash.as_str(), word, sentence, exit));
    };
    let ended = record.attempt.as_ref().filter(|_| matches!(record.state.as_str(), "done" | "failed"));
    let Some(attempt) = ended else {
        let sentence = "it has not ended; cancel it first";
        return Ok(scene.answer(request_hash.as_str(), &record.state, sentence, Exit::Failed));
    };
    if !scene.queue.forget(request_hash, attempt).await? {
        return Ok(scene.answer(request_hash.as_str(), "changed", "it is built again just now", Exit::Failed));
    }
    if let Some(bin_dir) = record.stored_name().and_then(|name| BinDir::parse(&name).ok()) {
        // If this fails, the next sweep goes on: the images are still on the list.
        scene.store().await?.remove(&bin_dir).await?;
        scene.queue.unlist(request_hash, bin_dir.as_str()).await?;
    }
    Ok(scene.answer(request_hash.as_str(), "forgotten", "forgotten, with its images", Exit::Done))
}

/// `asu admin drain` and `undrain`
pub(super) async fn drain(scene: &Scene, worker: &WorkerName, drained: bool) -> Result<Exit, AdminError> {
    let mut names = Vec::new();
    for live in scene.queue.workers().await? {
        if is_called(&live.name, worker) && scene.queue.set_drained(&live.name, drained).await? {
            names.push(live.name.to_string());
        }
    }
    let names = names.join(", ");
    let (word, sentence, exit) = match (names.is_empty(), drained) {
        (true, _) => ("unknown", "there is no such worker".to_owned(), Exit::Failed),
        (false, true) => ("drained", format!("takes no more builds: {names}"), Exit::Done),
        (false, false) => ("undrained", format!("takes builds again: {names}"), Exit::Done),
    };
    Ok(scene.answer(worker.as_str(), word, &sentence, exit))
}

/// A worker's process adds a hyphen and 8 digits to the name that it is given.
fn is_called(live: &WorkerName, wanted: &WorkerName) -> bool {
    let given = live.as_str().rsplit_once('-').filter(|(_, digits)| digits.len() == 8).map(|(given, _)| given);
    live == wanted || given == Some(wanted.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_is_known_by_both_of_its_names() {
        let live = WorkerName::parse("build-1-0000002a").unwrap();
        for (wanted, expected) in [("build-1-0000002a", true), ("build-1", true), ("build", false), ("build-12", false)]
        {
            assert_eq!(is_called(&live, &WorkerName::parse(wanted).unwrap()), expected, "{wanted}");
        }
    }
}
