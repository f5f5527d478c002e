//! Signs that a build went back to its place in line, in front of others: what may make a position grow.

use std::collections::BTreeSet;

use crate::history::{History, Moment, Sighting};

/// How an attempt ends that leaves the build to others.
pub(super) const RETURNS: [&str; 4] = ["given_back", "postponed", "dropped", "lost"];

/// A worker's line may come this much after what it tells of.
const LATE: Moment = 5000;

/// How many signs there are between two moments. A return may leave several signs, never none.
pub(super) fn returns(history: &History, from: Moment, to: Moment) -> usize {
    let told = history.attempts.iter().filter_map(|attempt| attempt.ended.as_ref());
    let told =
        told.filter(|(at, result)| RETURNS.contains(&result.as_str()) && (from..=to + LATE).contains(at)).count();
    let first = history.sightings.partition_point(|sighting| sighting.at < from).saturating_sub(1);
    let last = history.sightings.partition_point(|sighting| sighting.at <= to);
    let seen = history.sightings[first..(last + 1).min(history.sightings.len())].windows(2);
    told + seen.map(|pair| seen_between(&pair[0], &pair[1])).sum::<usize>()
}

/// Builds that were at work or put off and wait now, or that somebody else holds now.
fn seen_between(earlier: &Sighting, later: &Sighting) -> usize {
    let waiting: BTreeSet<_> = later.pending.iter().collect();
    let back = earlier.running.keys().chain(&earlier.delayed).filter(|hash| waiting.contains(hash)).count();
    let taken_over = earlier
        .running
        .iter()
        .filter(|(hash, hold)| later.running.get(*hash).is_some_and(|holder| holder.token != hold.token));
    // A return between two looks that are far apart, as while Redis hung, may have left no other sign.
    let blind = if later.at - earlier.at > 400 { earlier.running.len() + earlier.delayed.len() } else { 0 };
    back + taken_over.count() + blind
}
