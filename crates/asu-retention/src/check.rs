//! Where Redis and the store disagree.

use std::{collections::BTreeSet, fmt};

use asu_core::RequestHash;
use asu_queue::{BuildRecord, Queue, StoredState};
use asu_store::{BinDir, Store};

use crate::{Inventory, Item, RetentionError, sweep::request_hash};

/// What every file system has that is the root of one.
const LOST_AND_FOUND: &str = "lost+found";

/// What was looked at, and what is wrong.
#[derive(Debug, Clone, Default)]
pub struct CheckReport {
    /// How many records there are.
    pub records: usize,
    /// How many builds the store holds.
    pub stored: usize,
    /// Images of expired records, which the next sweep deletes.
    pub expired: usize,
    /// What is wrong.
    pub disagreements: Vec<Disagreement>,
}

/// Something that one of the two says and the other does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Disagreement {
    /// A finished build has no images.
    DeadLink(BinDir),
    /// There are images that no record has or had.
    Orphan(BinDir),
    /// The images have not the bytes that the record says.
    OtherSize {
        /// The images.
        bin_dir: BinDir,
        /// What the record says.
        recorded: u64,
        /// What the store has.
        stored: u64,
    },
    /// Something in the store is nothing of ours.
    Strange(String),
    /// A build that waits or runs stands in no line, so that nobody will ever take it.
    NotInLine(RequestHash),
    /// Something stands in a line that does not belong there.
    NoBuild(RequestHash),
}

/// Goes through all records and everything in the store, both ways. What changes meanwhile is looked at once more before
/// it is called wrong.
///
/// # Errors
/// The queue or the store cannot be asked.
pub async fn check(queue: &Queue, store: &Store) -> Result<CheckReport, RetentionError> {
    let records = queue.records(&queue.known_builds().await?).await?;
    let inventory = Inventory::take(queue, store).await?;
    let mut report = CheckReport { records: records.len(), ..CheckReport::default() };
    for item in &inventory.items {
        report.stored += usize::from(item.stored.is_some());
        report.expired += usize::from(is_expired(item));
        report.disagreements.extend(judge(item));
    }
    // Builds that ended before there was a list are not on it, and without images they are not in the store either.
    let seen: BTreeSet<_> = inventory.items.iter().map(|item| item.bin_dir.as_str()).collect();
    let names = records.iter().filter_map(BuildRecord::stored_name);
    let missing = names.filter(|name| !seen.contains(name.as_str())).filter_map(|name| BinDir::parse(&name).ok());
    report.disagreements.extend(missing.map(Disagreement::DeadLink));
    report.disagreements = still_there(queue, store, report.disagreements).await?;
    report.disagreements.extend(lines(queue, &records).await?);
    let strange = inventory.strange.into_iter().filter(|name| name != LOST_AND_FOUND);
    report.disagreements.extend(strange.map(Disagreement::Strange));
    Ok(report)
}

fn is_expired(item: &Item) -> bool {
    item.state == StoredState::Unwanted && item.is_listed && item.stored.is_some()
}

fn judge(item: &Item) -> Option<Disagreement> {
    let bin_dir = item.bin_dir.clone();
    match (item.state, item.stored) {
        (StoredState::Kept { .. }, None) => Some(Disagreement::DeadLink(bin_dir)),
        (StoredState::Kept { size: Some(recorded), .. }, Some(stored)) if recorded != stored => {
            Some(Disagreement::OtherSize { bin_dir, recorded, stored })
        }
        (StoredState::Unwanted, Some(_)) if !item.is_listed => Some(Disagreement::Orphan(bin_dir)),
        (StoredState::Kept { .. } | StoredState::Unwanted, _) | (StoredState::Reporting, _) => None,
    }
}

/// Without what was put in order while we looked.
async fn still_there(
    queue: &Queue,
    store: &Store,
    found: Vec<Disagreement>,
) -> Result<Vec<Disagreement>, RetentionError> {
    let mut left = Vec::new();
    for disagreement in found {
        let (bin_dir, is_kept, is_stored) = match &disagreement {
            Disagreement::DeadLink(bin_dir) => (bin_dir, true, false),
            Disagreement::Orphan(bin_dir) => (bin_dir, false, true),
            Disagreement::OtherSize { bin_dir, .. } => (bin_dir, true, true),
            Disagreement::Strange(_) | Disagreement::NotInLine(_) | Disagreement::NoBuild(_) => continue,
        };
        let states = queue.stored_states(&[bin_dir.as_str()]).await?;
        let kept = states.iter().any(|state| matches!(state, StoredState::Kept { .. }));
        if kept == is_kept && store.contains(bin_dir).await? == is_stored {
            left.push(disagreement);
        }
    }
    Ok(left)
}

/// A build that waits or runs is in exactly one line, and nothing else is in any.
async fn lines(queue: &Queue, records: &[BuildRecord]) -> Result<Vec<Disagreement>, RetentionError> {
    let known = records.iter().map(|record| record.request_hash.clone());
    let suspects: BTreeSet<_> = known.chain(queue.builds_in_line().await?).collect();
    let suspects: Vec<_> = suspects.into_iter().collect();
    let now = queue.records(&suspects).await?;
    let without_record = suspects.iter().filter(|hash| !now.iter().any(|record| record.request_hash == **hash));
    let in_line = queue.builds_in_line().await?;
    let mut wrong: Vec<_> =
        without_record.filter(|hash| in_line.contains(hash)).cloned().map(Disagreement::NoBuild).collect();
    for record in now {
        let waits_or_runs = matches!(record.state.as_str(), "queued" | "started");
        match (waits_or_runs, record.line.is_some()) {
            (true, false) => wrong.push(Disagreement::NotInLine(record.request_hash)),
            (false, true) => wrong.push(Disagreement::NoBuild(record.request_hash)),
            (true, true) | (false, false) => {}
        }
    }
    Ok(wrong)
}

impl Disagreement {
    /// A name for scripts.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::DeadLink(_) => "dead_link",
            Self::Orphan(_) => "orphan",
            Self::OtherSize { .. } => "other_size",
            Self::Strange(_) => "strange",
            Self::NotInLine(_) => "not_in_line",
            Self::NoBuild(_) => "no_build",
        }
    }

    /// The build that it is about, if it is about one.
    pub fn request_hash(&self) -> Option<RequestHash> {
        match self {
            Self::DeadLink(bin_dir) | Self::Orphan(bin_dir) | Self::OtherSize { bin_dir, .. } => {
                Some(request_hash(bin_dir))
            }
            Self::Strange(_) => None,
            Self::NotInLine(request_hash) | Self::NoBuild(request_hash) => Some(request_hash.clone()),
        }
    }
}

impl fmt::Display for Disagreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DeadLink(bin_dir) => write!(f, "a finished build has no images: {bin_dir}"),
            Self::Orphan(bin_dir) => write!(f, "no build has these images: {bin_dir}"),
            Self::OtherSize { bin_dir, recorded, stored } => {
                write!(f, "{bin_dir} has {stored} bytes, its record says {recorded}")
            }
            Self::Strange(name) => write!(f, "the store holds something that is not its own: {name:?}"),
            Self::NotInLine(request_hash) => write!(f, "a build waits or runs and stands in no line: {request_hash}"),
            Self::NoBuild(request_hash) => write!(f, "no build that waits or runs stands in a line: {request_hash}"),
        }
    }
}
