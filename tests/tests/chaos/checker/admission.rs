//! The limit of the queue is never exceeded: nobody is let in while it is full.

use std::collections::BTreeSet;

use super::{Violations, evidence::returns};
use crate::history::{History, Sighting};

pub(super) fn check(history: &History, most: usize) -> Violations {
    let pairs = history.sightings.windows(2).filter(|pair| pair[0].run_id == pair[1].run_id);
    pairs
        .filter_map(|pair| {
            let (newcomers, waited) = let_in(&pair[0], &pair[1]);
            let allowed = most + returns(history, pair[0].at, pair[1].at);
            (newcomers > 0 && waited > allowed).then(|| {
                format!("{newcomers} were let in between {} and {}, to {waited} that wait", pair[0].at, pair[1].at)
            })
        })
        .collect()
}

/// How many came, and how many waited then for certain: those that came back from work meanwhile had a place already.
fn let_in(earlier: &Sighting, later: &Sighting) -> (usize, usize) {
    let waiting = |sighting: &Sighting| -> BTreeSet<String> {
        sighting.pending.iter().chain(&sighting.delayed).cloned().collect()
    };
    let (before, after) = (waiting(earlier), waiting(later));
    let newcomers = after.iter().filter(|hash| !before.contains(*hash) && !earlier.running.contains_key(*hash)).count();
    let stayed = after.intersection(&before).count();
    (newcomers, newcomers + stayed)
}
