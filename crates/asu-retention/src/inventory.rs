//! What lies in the store, held against what the records say.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

use asu_queue::{Queue, StoredState};
use asu_store::{BinDir, Published, Store};

use crate::RetentionError;

/// Everything that the store or the queue knows.
#[derive(Debug, Clone, Default)]
pub struct Inventory {
    /// By name.
    pub items: Vec<Item>,
    /// The names of things in the store that are nothing of ours.
    pub strange: Vec<String>,
}

/// Images that are in the store, on the queue's list, or both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Their name.
    pub bin_dir: BinDir,
    /// Their bytes, if they are in the store.
    pub stored: Option<u64>,
    /// For how long they have been there; `None` if that is in the future.
    pub age: Option<Duration>,
    /// True if they are on the queue's list: their build ended, and they were not deleted since.
    pub is_listed: bool,
    /// What the records say.
    pub state: StoredState,
}

impl Inventory {
    /// Looks. The store comes first: images that are there by then and that no attempt holds when the queue is asked will
    /// never be reported any more.
    ///
    /// # Errors
    /// The queue or the store cannot be asked.
    pub async fn take(queue: &Queue, store: &Store) -> Result<Self, RetentionError> {
        let entries = store.entries().await?;
        let mut found: BTreeMap<BinDir, (Option<Published>, bool)> = BTreeMap::new();
        for build in entries.builds {
            found.insert(build.bin_dir.clone(), (Some(build), false));
        }
        for name in queue.stored().await? {
            // Another name is of another version, which will look after it.
            if let Ok(bin_dir) = BinDir::parse(&name) {
                found.entry(bin_dir).or_default().1 = true;
            }
        }
        let names: Vec<_> = found.keys().map(BinDir::as_str).collect();
        let states = queue.stored_states(&names).await?;
        let now = SystemTime::now();
        let items = found.into_iter().zip(states).map(|((bin_dir, (published, is_listed)), state)| {
            let age = published.as_ref().and_then(|build| now.duration_since(build.modified).ok());
            Item { bin_dir, stored: published.map(|build| build.size), age, is_listed, state }
        });
        Ok(Self { items: items.collect(), strange: entries.strange })
    }

    /// The bytes of everything in the store.
    pub fn size(&self) -> u64 {
        self.items.iter().filter_map(|item| item.stored).sum()
    }
}
