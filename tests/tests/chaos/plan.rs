//! How long, with which chance, and what clients want.

use std::time::Duration;

use asu_tests::request;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::Value;

/// Without `ASU_CHAOS_SEED`.
const SEED: u64 = 20_260_101;
/// Without `ASU_CHAOS_SECONDS`: what a run within all other tests takes, before everything comes to rest.
const SECONDS: u64 = 45;

/// One run.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    /// How long new visits begin and new troubles are made.
    pub(crate) length: Duration,
    pub(crate) clients: usize,
    /// Only troubles whose names contain this, to look into one of them; all without `ASU_CHAOS_ONLY`.
    pub(crate) only: String,
}

/// A build that clients want.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub(crate) body: Value,
    /// What it ends with.
    pub(crate) expected: u16,
}

impl Plan {
    pub(crate) fn from_environment() -> Self {
        let length = Duration::from_secs(number("ASU_CHAOS_SECONDS").unwrap_or(SECONDS));
        let only = text("ASU_CHAOS_ONLY").unwrap_or_default();
        Self { seed: number("ASU_CHAOS_SEED").unwrap_or(SEED), length, clients: 36, only }
    }

    /// A source of chance of its own for each use, so that the order in which they run changes nothing.
    pub(crate) fn random(&self, use_: u64) -> StdRng {
        StdRng::seed_from_u64(self.seed.wrapping_mul(1_000_003).wrapping_add(use_))
    }

    /// Which build a visit is about: half of the time one that nobody asked for yet, else one of the
    /// latest few, which others want as well, or any.
    pub(crate) fn choose(random: &mut StdRng, newest: usize) -> usize {
        match random.random_range(0..4) {
            0 => random.random_range(0..=newest),
            1 => newest.saturating_sub(random.random_range(0..4)),
            _ => newest + 1,
        }
    }

    /// The build of this number. One in nine fails by its own fault, one in eleven takes some seconds.
    pub(crate) fn wanted(&self, number: usize) -> Wanted {
        let packages: &[&str] = match number {
            n if n % 9 == 4 => &["nonesuch"],
            n if n % 11 == 7 => &["tmux", "fault-slow"],
            _ => &["tmux"],
        };
        let mut body = request("24.10.4", packages);
        body["defaults"] = format!("# {} {number}", self.seed).into();
        Wanted { body, expected: if packages == ["nonesuch"] { 500 } else { 200 } }
    }
}

#[expect(clippy::disallowed_methods, reason = "what a run of a test is like is no setting of a process")]
fn text(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// A number from the environment.
pub(crate) fn number(name: &str) -> Option<u64> {
    let text = text(name)?;
    Some(text.parse().unwrap_or_else(|error| panic!("{name}={text}: {error}")))
}
