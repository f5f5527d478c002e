//! The files of one kind, by path: as many as the settings allow, the least recently used go first.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{
    cached_file::{CachedFile, Condition, Copy, NoCopy},
    documents::Document,
    fetcher::Fetcher,
    policy::Policy,
};

pub(crate) struct FileCache<T> {
    fetcher: Arc<Fetcher>,
    policy: Policy,
    max_files: usize,
    files: Mutex<Files<T>>,
}

struct Files<T> {
    by_path: HashMap<String, Slot<T>>,
    uses: u64,
}

struct Slot<T> {
    file: Arc<CachedFile<T>>,
    /// The number of the use that was its last.
    last_use: u64,
}

impl<T: Document> FileCache<T> {
    pub(crate) fn new(fetcher: Arc<Fetcher>, policy: Policy, max_files: usize) -> Self {
        let files = Mutex::new(Files { by_path: HashMap::new(), uses: 0 });
        Self { fetcher, policy, max_files, files }
    }

    /// The file at a path below the upstream's URL.
    pub(crate) async fn get(&self, path: &str) -> Result<Copy<T>, NoCopy> {
        self.file(path).get().await
    }

    /// Asks again for the files that fail and of which something is known, and forgets those that failed a while ago and
    /// of which nothing ever was: nobody asks for them any more.
    pub(crate) fn tend(&self) {
        self.lock().by_path.retain(|_, slot| {
            let Condition { is_held: _, is_known, failure } = slot.file.condition();
            if is_known {
                slot.file.retry_if_due();
            }
            is_known || failure.is_none_or(|failure| failure.since.elapsed() < self.policy.memory_of_failures())
        });
    }

    pub(crate) fn conditions(&self) -> Vec<Condition> {
        self.lock().by_path.values().map(|slot| slot.file.condition()).collect()
    }

    fn file(&self, path: &str) -> Arc<CachedFile<T>> {
        let mut files = self.lock();
        files.uses += 1;
        let last_use = files.uses;
        if let Some(slot) = files.by_path.get_mut(path) {
            slot.last_use = last_use;
            return Arc::clone(&slot.file);
        }
        if files.by_path.len() >= self.max_files {
            files.evict();
        }
        let file = Arc::new(CachedFile::new(path, Arc::clone(&self.fetcher), self.policy));
        files.by_path.insert(path.to_owned(), Slot { file: Arc::clone(&file), last_use });
        file
    }

    fn lock(&self) -> MutexGuard<'_, Files<T>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Files<T> {
    /// A walk over some hundred files, and only when a new one comes in, needs no cleverer structure.
    fn evict(&mut self) {
        let oldest = self.by_path.iter().min_by_key(|(_, slot)| slot.last_use).map(|(path, _)| path.clone());
        if let Some(path) = oldest {
            self.by_path.remove(&path);
        }
    }
}
