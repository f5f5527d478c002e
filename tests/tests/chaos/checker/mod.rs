//! What a run must not have shown. Pure functions over what was seen: none knows how the server works inside.

mod admission;
mod answers;
mod evidence;
mod leases;
mod outcomes;
mod positions;
mod rest;
mod store;
#[cfg(test)]
mod tests;

use crate::history::History;

/// Sentences, each about one broken promise.
pub(crate) type Violations = Vec<String>;

/// Everything that is wrong with a run, by the promise that was broken.
pub(crate) fn check(history: &History, most_pending: usize) -> Vec<(&'static str, Violations)> {
    vec![
        ("answered in the shape of the API", answers::check(history)),
        ("one outcome each", outcomes::check(history)),
        ("one worker at a time", leases::check(history)),
        ("no overtaking", positions::check(history)),
        ("queue limit", admission::check(history, most_pending)),
        ("whole images", store::check(history)),
        ("nothing left over", rest::check(history)),
    ]
}
