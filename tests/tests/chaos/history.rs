//! What was seen during a run: by clients, in Redis, in the logs of workers, in the store.

use std::collections::{BTreeMap, BTreeSet};

/// Milliseconds since the run began, by the test's own clock.
pub(crate) type Moment = u64;

/// Looks into Redis that are this far apart were kept waiting by it.
const BLIND: Moment = 500;

/// Everything that the checker reads.
#[derive(Debug, Clone, Default)]
pub(crate) struct History {
    /// What clients asked and heard.
    pub(crate) exchanges: Vec<Exchange>,
    /// Visits of clients: each wanted one build.
    pub(crate) visits: Vec<Visit>,
    /// Looks into Redis, in order.
    pub(crate) sightings: Vec<Sighting>,
    /// What workers say that they did.
    pub(crate) attempts: Vec<Attempt>,
    /// What was done to the server.
    pub(crate) troubles: Vec<Trouble>,
    /// Directories of the store, from when they were first seen.
    pub(crate) directories: Vec<Directory>,
    /// What was there when everything had come to rest.
    pub(crate) rest: Rest,
}

/// One request and its answer.
#[derive(Debug, Clone)]
pub(crate) struct Exchange {
    pub(crate) client: usize,
    /// Which of the wanted builds it was about.
    pub(crate) wanted: usize,
    pub(crate) question: Question,
    pub(crate) begun: Moment,
    pub(crate) ended: Moment,
    pub(crate) answer: Answered,
}

/// What a client asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Question {
    Prepare,
    Post,
    Poll,
}

/// What a client hears.
#[derive(Debug, Clone)]
pub(crate) enum Answered {
    Json(Heard),
    /// Something that clients cannot read.
    NotJson {
        status: u16,
        start: String,
    },
    /// The connection broke, or there was no answer in time.
    Broken(String),
}

/// The part of an answer that the checker looks at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Heard {
    pub(crate) status: u16,
    pub(crate) hash: Option<String>,
    pub(crate) position: Option<u64>,
    pub(crate) bin_dir: Option<String>,
    pub(crate) detail: String,
    pub(crate) retry_after: bool,
    /// It is nginx that speaks: the process behind it did not answer.
    pub(crate) by_nginx: bool,
}

/// One client that wanted one build.
#[derive(Debug, Clone)]
pub(crate) struct Visit {
    pub(crate) wanted: usize,
    pub(crate) hash: Option<String>,
    /// When it was first told that its request is accepted.
    pub(crate) accepted: Option<Moment>,
    /// When it had its outcome, and the status of that.
    pub(crate) ended: Option<(Moment, u16)>,
    /// The status that the wanted build ends with.
    pub(crate) expected: u16,
    /// Images that did not have the sha256 that the answer tells, or were not there.
    pub(crate) damaged: Vec<String>,
    pub(crate) downloads: u64,
}

/// The queue at one moment, read in one step.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sighting {
    pub(crate) at: Moment,
    /// Another one after each restart of Redis.
    pub(crate) run_id: String,
    /// By Redis's clock.
    pub(crate) now: u64,
    pub(crate) pending: Vec<String>,
    pub(crate) delayed: BTreeSet<String>,
    pub(crate) running: BTreeMap<String, Hold>,
}

/// Who holds a running build.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Hold {
    pub(crate) token: String,
    pub(crate) worker: String,
    /// By Redis's clock.
    pub(crate) lease_end: u64,
}

/// A build in the log of one worker.
#[derive(Debug, Clone)]
pub(crate) struct Attempt {
    pub(crate) worker: String,
    pub(crate) hash: String,
    pub(crate) begun: Moment,
    /// When it ended and as what; nothing if the worker died.
    pub(crate) ended: Option<(Moment, String)>,
}

/// Something that was done to the server.
#[derive(Debug, Clone)]
pub(crate) struct Trouble {
    pub(crate) kind: &'static str,
    pub(crate) hurts: Hurts,
    pub(crate) begun: Moment,
    pub(crate) healed: Moment,
    /// When everything was ready and a build ended again.
    pub(crate) recovered: Option<Moment>,
}

/// What a trouble excuses. Whatever it does not excuse must go on as if nothing had happened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Hurts {
    /// A process behind nginx is away or does not answer: 502 and 504 of nginx.
    pub(crate) api: bool,
    /// The build service cannot reach Redis, the store or upstream: 503 with Retry-After.
    pub(crate) dependency: bool,
    /// Redis was killed: what it had promised in its last second may be gone.
    pub(crate) memory: bool,
    /// The disk was short of room: finished builds were deleted, the oldest first, and are built anew when asked for.
    pub(crate) evicts: bool,
    /// A worker died or lost its lease: what it made and had not told anybody may lie in the store.
    pub(crate) worker: bool,
}

/// A directory of the store.
#[derive(Debug, Clone)]
pub(crate) struct Directory {
    pub(crate) name: String,
    pub(crate) seen: Moment,
    /// The lengths of its files when it was first seen, and at the end; nothing if it was gone by then.
    pub(crate) at_first: BTreeMap<String, u64>,
    pub(crate) at_last: Option<BTreeMap<String, u64>>,
}

/// What was there when everything had come to rest.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rest {
    /// Nothing waited or ran any more.
    pub(crate) came: bool,
    pub(crate) records: Vec<Record>,
    /// Keys with whether they expire by themselves.
    pub(crate) keys: BTreeMap<String, bool>,
    pub(crate) containers: Vec<String>,
    /// Entries of the store that are no published builds.
    pub(crate) half_made: Vec<String>,
}

/// A record in Redis.
#[derive(Debug, Clone, Default)]
pub(crate) struct Record {
    pub(crate) hash: String,
    pub(crate) state: String,
    pub(crate) token: String,
    /// What the API says of it.
    pub(crate) status: u16,
    pub(crate) bin_dir: Option<String>,
    /// Of how many images it tells, and what is wrong with them.
    pub(crate) images: usize,
    pub(crate) damaged: Vec<String>,
}

impl History {
    /// True if Redis did not answer the observer either: on a machine that is busy with others it may be slow by itself.
    pub(crate) fn was_blind(&self, from: Moment, to: Moment) -> bool {
        let mut gaps = self.sightings.windows(2).filter(|pair| pair[1].at - pair[0].at > BLIND);
        gaps.any(|pair| pair[0].at <= to && pair[1].at >= from)
    }

    /// True if something of this kind was going on at that time, or had not been recovered from.
    pub(crate) fn excused(&self, from: Moment, to: Moment, hurts: impl Fn(&Hurts) -> bool) -> bool {
        self.troubles.iter().any(|trouble| {
            hurts(&trouble.hurts) && trouble.begun <= to && trouble.recovered.unwrap_or(Moment::MAX) >= from
        })
    }
}
