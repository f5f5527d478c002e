//! Every accepted request ends in exactly one stored outcome.

use std::collections::BTreeMap;

use super::{Violations, evidence::RETURNS};
use crate::history::{Answered, Exchange, Heard, History, Moment, Question, Visit};

pub(super) fn check(history: &History) -> Violations {
    let mut found = visits(history);
    found.extend(answers(history));
    found.extend(attempts(history));
    found.extend(records(history));
    found
}

fn visits(history: &History) -> Violations {
    let judge = |visit: &Visit| match visit.ended {
        None if visit.accepted.is_some() => Some("lost or stuck: accepted, and no outcome"),
        None => Some("stuck: never accepted"),
        Some((_, status)) if status != visit.expected => Some("another outcome than the request has"),
        Some(_) => None,
    };
    history.visits.iter().filter_map(|visit| Some(format!("{}: {visit:?}", judge(visit)?))).collect()
}

/// What clients heard of one build, in the order of the answers: known, then ended, and always the same end.
fn answers(history: &History) -> Violations {
    let mut found = Violations::new();
    let mut latest: BTreeMap<&str, (Moment, Heard)> = BTreeMap::new();
    let mut accepted: BTreeMap<(usize, usize), Moment> = BTreeMap::new();
    // Prepare tells of no build, only what it would be called.
    let of_builds = |exchange: &&Exchange| exchange.question != Question::Prepare;
    let mut exchanges: Vec<_> = history.exchanges.iter().filter(of_builds).collect();
    exchanges.sort_by_key(|exchange| exchange.ended);
    for exchange in exchanges {
        let Answered::Json(heard) = &exchange.answer else { continue };
        let visit = (exchange.client, exchange.wanted);
        if heard.status == 404 {
            let since = accepted.remove(&visit).unwrap_or(exchange.begun);
            if !history.excused(since, exchange.ended, |hurts| hurts.memory || hurts.evicts) {
                found.push(format!("lost: a build that was accepted is not known any more: {exchange:?}"));
            }
            continue;
        }
        let Some(hash) = heard.hash.as_deref() else { continue };
        accepted.entry(visit).or_insert(exchange.ended);
        if let Some((since, end)) = latest.get(hash)
            && let Some(fault) = contradicts(end, *since, heard, exchange)
            && !history.excused(*since, exchange.ended, |hurts| hurts.memory || hurts.evicts)
        {
            found.push(format!("{fault}: {hash} was {end:?} at {since}, then {exchange:?}"));
        }
        if is_end(heard) {
            latest.insert(hash, (exchange.ended, heard.clone()));
        }
    }
    found
}

/// Only an answer to a question that was asked after the end was told can contradict it.
fn contradicts(end: &Heard, since: Moment, heard: &Heard, exchange: &Exchange) -> Option<&'static str> {
    if exchange.begun <= since {
        return None;
    }
    match heard.status {
        202 => Some("an outcome is taken back"),
        200 | 500 if (heard.status, &heard.bin_dir) != (end.status, &end.bin_dir) => Some("doubled: two outcomes"),
        _ => None,
    }
}

fn is_end(heard: &Heard) -> bool {
    heard.status == 200 || heard.status == 500
}

/// Workers whose outcome of the same build was accepted.
fn attempts(history: &History) -> Violations {
    let mut accepted: BTreeMap<&str, Vec<Moment>> = BTreeMap::new();
    for attempt in &history.attempts {
        if let Some((at, result)) = &attempt.ended
            && !RETURNS.contains(&result.as_str())
        {
            accepted.entry(&attempt.hash).or_default().push(*at);
        }
    }
    let doubled = accepted.into_iter().filter(|(_, ends)| {
        let (first, last) = (ends.iter().min().copied().unwrap_or(0), ends.iter().max().copied().unwrap_or(0));
        ends.len() > 1 && !history.excused(first, last, |hurts| hurts.memory || hurts.evicts)
    });
    doubled.map(|(hash, ends)| format!("doubled: {hash} was ended by workers at {ends:?}")).collect()
}

fn records(history: &History) -> Violations {
    let records: BTreeMap<_, _> = history.rest.records.iter().map(|record| (record.hash.as_str(), record)).collect();
    let evicted = |visit: &Visit| {
        let since = visit.ended.map_or(0, |(at, _)| at);
        history.excused(since, Moment::MAX, |hurts| hurts.evicts)
    };
    let mut found = Violations::new();
    for visit in history.visits.iter().filter(|visit| visit.ended.is_some()) {
        let hash = visit.hash.as_deref().unwrap_or_default();
        match records.get(hash) {
            None if evicted(visit) => {}
            None => found.push(format!("lost: no record of {visit:?}")),
            Some(record) if record.status != visit.expected => found.push(format!("{record:?} is not for {visit:?}")),
            Some(_) => {}
        }
    }
    for record in &history.rest.records {
        let of_holder =
            record.bin_dir.as_ref().is_none_or(|name| name.ends_with(record.token.get(..12).unwrap_or("-")));
        if !of_holder {
            found.push(format!("not fenced: images of an attempt that did not hold the build: {record:?}"));
        }
    }
    found
}
