//! How much is stored, and how old it is.

use std::time::Duration;

use asu_queue::Queue;
use asu_store::{Space, Store};

use crate::{Config, Inventory, RetentionError};

const HOUR: Duration = Duration::from_secs(3600);

/// Up to which age builds count together; the last group has the rest.
const AGES: [(&str, Duration); 4] = [
    ("up to an hour", HOUR),
    ("up to a day", HOUR.saturating_mul(24)),
    ("up to a week", HOUR.saturating_mul(24 * 7)),
    ("older", Duration::MAX),
];

/// What the store holds.
#[derive(Debug, Clone)]
pub struct DiskReport {
    /// By age, youngest first.
    pub ages: Vec<AgeGroup>,
    /// The bytes of everything.
    pub size: u64,
    /// The most bytes that there may be; `None` for any number.
    pub max_size: Option<u64>,
    /// The room on the disk of the store; `None` if the store knows no bounds.
    pub space: Option<Space>,
}

/// Builds of about one age.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AgeGroup {
    /// Which.
    pub age: &'static str,
    /// How many.
    pub builds: u64,
    /// Their bytes.
    pub size: u64,
}

/// Looks through the store.
///
/// # Errors
/// The queue or the store cannot be asked.
pub async fn disk_report(queue: &Queue, store: &Store, config: &Config) -> Result<DiskReport, RetentionError> {
    let inventory = Inventory::take(queue, store).await?;
    let mut ages = AGES.map(|(age, _)| AgeGroup { age, builds: 0, size: 0 });
    for item in &inventory.items {
        let Some(size) = item.stored else { continue };
        let age = item.age.unwrap_or_default();
        let group = AGES.iter().position(|(_, most)| age <= *most).expect("no age is above the last one");
        ages[group].builds += 1;
        ages[group].size += size;
    }
    let max_size = Some(config.store_max_size.get()).filter(|most| *most > 0);
    Ok(DiskReport { ages: ages.into(), size: inventory.size(), max_size, space: store.free_space().await? })
}
