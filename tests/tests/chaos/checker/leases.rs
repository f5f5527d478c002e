//! No two workers build the same build at the same time with a valid lease.

use std::collections::BTreeMap;

use super::{Violations, evidence::RETURNS};
use crate::history::{Attempt, History, Hold, Moment, Sighting};

/// A worker's line may come this much after what it tells of.
const LATE: Moment = 5000;

pub(super) fn check(history: &History) -> Violations {
    let mut found = takings(history);
    found.extend(overlaps(history));
    found
}

/// By what Redis holds: a build goes from one holder to another when the first lets go of it or its lease is over.
fn takings(history: &History) -> Violations {
    let mut found = Violations::new();
    let mut holders: BTreeMap<&str, (Hold, Moment)> = BTreeMap::new();
    let mut run_id = "";
    for sighting in &history.sightings {
        if sighting.run_id != run_id {
            run_id = &sighting.run_id;
            holders.clear();
        }
        for (hash, hold) in &sighting.running {
            let since = match holders.get(hash.as_str()) {
                Some((former, since)) if former.token == hold.token => *since,
                Some((former, since)) => {
                    if !may_take(history, hash, former, *since, sighting) {
                        found.push(format!(
                            "{hash} was taken from {former:?} by {hold:?} at {}, before its lease was over",
                            sighting.at
                        ));
                    }
                    sighting.at
                }
                None => sighting.at,
            };
            holders.insert(hash, (hold.clone(), since));
        }
    }
    found
}

fn may_take(history: &History, hash: &str, former: &Hold, since: Moment, now: &Sighting) -> bool {
    let of_former = |attempt: &&Attempt| attempt.hash == hash && attempt.worker == former.worker;
    let mut attempts = history
        .attempts
        .iter()
        .filter(of_former)
        .filter(|attempt| attempt.ended.as_ref().is_none_or(|(at, _)| at + LATE >= since))
        .peekable();
    // A hand-out whose answer got lost, or that came too late for a worker that ends: nobody began to build.
    let never_began = attempts.peek().is_none();
    let let_go = attempts.any(|attempt| {
        attempt.ended.as_ref().is_some_and(|(at, result)| RETURNS.contains(&result.as_str()) && *at <= now.at + LATE)
    });
    now.now >= former.lease_end || never_began || let_go
}

/// By what workers tell: who had its outcome accepted had the build for itself all the time.
fn overlaps(history: &History) -> Violations {
    let mut found = Violations::new();
    for attempt in &history.attempts {
        let Some((ended, result)) = &attempt.ended else { continue };
        if RETURNS.contains(&result.as_str()) {
            continue;
        }
        let inside = |other: &&Attempt| {
            other.hash == attempt.hash
                && other.worker != attempt.worker
                && other.begun > attempt.begun
                && other.begun < *ended
        };
        let others = history.attempts.iter().filter(inside);
        for other in others.filter(|other| !history.excused(attempt.begun, other.begun, |hurts| hurts.memory)) {
            found.push(format!("two at work on one build: {attempt:?} and {other:?}"));
        }
    }
    found
}
