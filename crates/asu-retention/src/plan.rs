//! Which images go: a decision without any I/O.

use std::{fmt, time::Duration};

use asu_queue::StoredState;
use asu_store::BinDir;

use crate::{Inventory, Item};

/// How much may stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most bytes of all images; `None` for any number.
    pub max_size: Option<u64>,
    /// The bytes by which the disk is too full.
    pub lacking: u64,
    /// What nobody ever reported goes when it is so old.
    pub grace: Duration,
}

/// Why images go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// The record of their build is gone.
    Expired,
    /// No record ever had them.
    Orphan,
    /// They are gone already, and the record that names them must go, too.
    Vanished,
    /// There are more than `store_max_size`.
    Quota,
    /// The disk has less free than `store_min_free`.
    Space,
}

/// Images that go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal {
    /// Their name.
    pub bin_dir: BinDir,
    /// Why.
    pub reason: Reason,
    /// Their bytes.
    pub size: u64,
}

/// What a sweep is about to do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// What goes, in this order.
    pub removals: Vec<Removal>,
    /// What is on the queue's list and nowhere else.
    pub forgotten: Vec<BinDir>,
}

impl Plan {
    /// First what no record has, whatever the limits. Then of what is left the oldest builds, until everything fits. The
    /// newest one always stays: whoever has just waited for it shall get it.
    pub fn of(inventory: &Inventory, limits: &Limits) -> Self {
        let mut plan = Self::default();
        let mut kept = Vec::new();
        for item in &inventory.items {
            match (item.state, item.stored) {
                (StoredState::Kept { finished_at, size: _ }, Some(size)) => kept.push((finished_at, item, size)),
                (StoredState::Kept { .. }, None) => plan.remove(item, Reason::Vanished),
                (StoredState::Reporting, _) => {}
                (StoredState::Unwanted, None) => plan.forgotten.push(item.bin_dir.clone()),
                (StoredState::Unwanted, Some(_)) if item.is_listed => plan.remove(item, Reason::Expired),
                (StoredState::Unwanted, Some(_)) if item.age.is_some_and(|age| age >= limits.grace) => {
                    plan.remove(item, Reason::Orphan);
                }
                (StoredState::Unwanted, Some(_)) => {}
            }
        }
        kept.sort_by_key(|(finished_at, item, _)| (*finished_at, &item.bin_dir));
        kept.pop();
        let (all, mut freed) = (inventory.size(), plan.freed());
        for (_, item, size) in kept {
            let reason = if limits.max_size.is_some_and(|most| all - freed > most) {
                Reason::Quota
            } else if freed < limits.lacking {
                Reason::Space
            } else {
                break;
            };
            plan.remove(item, reason);
            freed += size;
        }
        plan
    }

    /// The bytes of everything that goes.
    pub fn freed(&self) -> u64 {
        self.removals.iter().map(|removal| removal.size).sum()
    }

    fn remove(&mut self, item: &Item, reason: Reason) {
        let size = item.stored.unwrap_or_default();
        self.removals.push(Removal { bin_dir: item.bin_dir.clone(), reason, size });
    }
}

impl Reason {
    /// Every reason.
    pub const ALL: [Self; 5] = [Self::Expired, Self::Orphan, Self::Vanished, Self::Quota, Self::Space];

    /// A name for scripts and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::Orphan => "orphan",
            Self::Vanished => "vanished",
            Self::Quota => "quota",
            Self::Space => "space",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
