//! What a run was like, in numbers.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    checker::Violations,
    history::{Answered, History, Moment},
    plan::Plan,
};

pub(crate) fn print(plan: &Plan, history: &History, violations: &[(&'static str, Violations)]) {
    println!("chaos, seed {}, {} s of trouble, {} clients", plan.seed, plan.length.as_secs(), plan.clients);
    let answers = answers(history);
    println!("  requests {}: {}", history.exchanges.len(), line(&answers));
    let wanted: BTreeSet<_> = history.visits.iter().map(|visit| visit.wanted).collect();
    let downloads: u64 = history.visits.iter().map(|visit| visit.downloads).sum();
    println!("  visits {} for {} builds, downloads checked {downloads}", history.visits.len(), wanted.len());
    println!("  attempts {}: {}", history.attempts.len(), line(&results(history)));
    let count = |words: &[&str]| {
        let all = violations.iter().flat_map(|(_, found)| found);
        all.filter(|violation| words.iter().any(|word| violation.starts_with(word))).count()
    };
    println!(
        "  lost {}, doubled {}, forgotten by a killed Redis {}",
        count(&["lost"]),
        count(&["doubled", "two at work"]),
        forgotten(history)
    );
    println!(
        "  longest from an accepted request to its outcome {} ms, longest time without a new image {} ms",
        longest_visit(history),
        longest_gap(history)
    );
    println!("  troubles {}; time to recover, median and most:", history.troubles.len());
    for (kind, mut times) in recoveries(history) {
        times.sort_unstable();
        println!("    {kind:<40} {:>2} × {:>6} {:>6} ms", times.len(), times[times.len() / 2], times[times.len() - 1]);
    }
    for (promise, found) in violations {
        println!(
            "  {promise:<36} {}",
            if found.is_empty() { "kept".to_owned() } else { format!("BROKEN {} times", found.len()) }
        );
    }
}

fn line(counts: &BTreeMap<String, usize>) -> String {
    counts.iter().map(|(name, count)| format!("{name} {count}")).collect::<Vec<_>>().join(", ")
}

fn answers(history: &History) -> BTreeMap<String, usize> {
    let name = |answer: &Answered| match answer {
        Answered::Json(heard) => heard.status.to_string(),
        Answered::NotJson { status: _, start: _ } => "no JSON".to_owned(),
        Answered::Broken(_) => "broken".to_owned(),
    };
    tally(history.exchanges.iter().map(|exchange| name(&exchange.answer)))
}

fn results(history: &History) -> BTreeMap<String, usize> {
    tally(
        history
            .attempts
            .iter()
            .map(|attempt| attempt.ended.as_ref().map_or("killed".to_owned(), |(_, result)| result.clone())),
    )
}

fn tally(names: impl Iterator<Item = String>) -> BTreeMap<String, usize> {
    names.fold(BTreeMap::new(), |mut counts, name| {
        *counts.entry(name).or_default() += 1;
        counts
    })
}

/// Accepted requests that clients had to send once more: what Redis had in its last second.
fn forgotten(history: &History) -> usize {
    let unknown = |answer: &Answered| matches!(answer, Answered::Json(heard) if heard.status == 404);
    history.exchanges.iter().filter(|exchange| unknown(&exchange.answer)).count()
}

fn longest_visit(history: &History) -> Moment {
    history.visits.iter().filter_map(|visit| Some(visit.ended?.0 - visit.accepted?)).max().unwrap_or(0)
}

fn longest_gap(history: &History) -> Moment {
    history.directories.windows(2).map(|pair| pair[1].seen - pair[0].seen).max().unwrap_or(0)
}

fn recoveries(history: &History) -> BTreeMap<&'static str, Vec<Moment>> {
    let mut times: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for trouble in &history.troubles {
        let took = trouble.recovered.map_or(Moment::MAX, |recovered| recovered - trouble.healed);
        times.entry(trouble.kind).or_default().push(took);
    }
    times
}
