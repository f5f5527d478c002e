//! Nobody is overtaken by who came later, and positions do not grow unless a build went back to its place.

use std::collections::{BTreeMap, BTreeSet};

use super::{Violations, evidence::returns};
use crate::history::{Answered, History, Moment, Question, Sighting};

pub(super) fn check(history: &History) -> Violations {
    let pairs = history.sightings.windows(2).filter(|pair| pair[0].run_id == pair[1].run_id);
    let mut found: Violations = pairs.filter_map(|pair| overtaken(&pair[0], &pair[1])).collect();
    found.extend(told(history));
    found
}

/// In Redis itself, exactly: in front of a build that waits there is nobody new, and nobody who was behind.
fn overtaken(earlier: &Sighting, later: &Sighting) -> Option<String> {
    let place: BTreeMap<_, _> = earlier.pending.iter().enumerate().map(|(place, hash)| (hash, place)).collect();
    let known: BTreeSet<_> = earlier.running.keys().chain(&earlier.delayed).collect();
    for (ahead, hash) in later.pending.iter().enumerate() {
        let Some(before) = place.get(hash) else { continue };
        for other in &later.pending[..ahead] {
            let fair = place.get(other).map_or(known.contains(other), |other| other < before);
            if !fair {
                return Some(format!("{other} overtook {hash} between {} and {}", earlier.at, later.at));
            }
        }
    }
    None
}

/// As clients hear it, through any of the processes.
fn told(history: &History) -> Violations {
    let mut found = Violations::new();
    let mut latest: BTreeMap<(usize, &str), (Moment, u64)> = BTreeMap::new();
    for exchange in history.exchanges.iter().filter(|exchange| exchange.question != Question::Prepare) {
        let Answered::Json(heard) = &exchange.answer else { continue };
        let Some(hash) = heard.hash.as_deref() else { continue };
        let key = (exchange.client, hash);
        let Some(position) = heard.position else {
            latest.remove(&key);
            continue;
        };
        if let Some((since, before)) = latest.insert(key, (exchange.begun, position))
            && position > before
        {
            let grown = usize::try_from(position - before).unwrap_or(usize::MAX);
            let restarted = history.excused(since, exchange.ended, |hurts| hurts.memory);
            if !restarted && grown > returns(history, since, exchange.ended) {
                found.push(format!("{before} became {position} since {since}: {exchange:?}"));
            }
        }
    }
    found
}
