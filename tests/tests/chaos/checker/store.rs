//! A reader of the store sees all of a build or nothing, and every image is what its answer says.

use std::collections::BTreeSet;

use super::Violations;
use crate::history::{Directory, History, Moment};

/// From the publishing of images to the report of them, on a machine that is busy.
const REPORTING: Moment = 3000;

pub(super) fn check(history: &History) -> Violations {
    let visited = history.visits.iter().flat_map(|visit| &visit.damaged).map(|damage| format!("a client got {damage}"));
    let kept = history.rest.records.iter().flat_map(|record| {
        let told = (record.state == "done" && record.images == 0).then(|| format!("done without images: {record:?}"));
        record.damaged.iter().map(|damage| format!("the store has {damage}")).chain(told)
    });
    visited.chain(kept).chain(changed(history)).chain(orphans(history)).collect()
}

fn changed(history: &History) -> impl Iterator<Item = String> + '_ {
    let differs = |directory: &&Directory| directory.at_last.as_ref().is_some_and(|last| *last != directory.at_first);
    history.directories.iter().filter(differs).map(|directory| format!("seen before it was whole: {directory:?}"))
}

/// Images without a record. Only who died or lost its build between publishing and reporting may leave some; the
/// sweeper takes them when they are old enough.
fn orphans(history: &History) -> impl Iterator<Item = String> + '_ {
    let named: BTreeSet<_> = history.rest.records.iter().filter_map(|record| record.bin_dir.as_ref()).collect();
    let left = history.directories.iter().filter(|directory| directory.at_last.is_some());
    let orphans = left.filter(move |directory| !named.contains(&directory.name));
    orphans
        .filter(|directory| {
            let until = directory.seen + REPORTING;
            !history.excused(directory.seen.saturating_sub(REPORTING), until, |hurts| hurts.worker || hurts.memory)
        })
        .map(|directory| format!("images that no record names: {}, seen at {}", directory.name, directory.seen))
}
