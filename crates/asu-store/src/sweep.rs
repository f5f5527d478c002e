//! Deleting what dead builders and interrupted deletions left behind.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use rustix::fs::{FlockOperation, flock};

use crate::entry_name::EntryName;

/// Deletes half-deleted builds, unfinished ones whose builder is dead, and unfinished ones older than `older_than`.
/// Returns how many; what cannot be deleted is logged and left for the next time.
pub(crate) fn sweep(store: &Path, older_than: Duration) -> io::Result<usize> {
    let mut swept = 0;
    for entry in fs::read_dir(store)? {
        let entry = entry?;
        let Some(name) = entry.file_name().to_str().and_then(EntryName::parse) else { continue };
        let path = entry.path();
        let deleted = match name {
            EntryName::Published(_) | EntryName::Probe => false,
            EntryName::Doomed => delete(&path),
            EntryName::Staging => delete_abandoned(&path, older_than),
        };
        swept += usize::from(deleted);
    }
    Ok(swept)
}

/// The lock is held while deleting, so that a builder that has just made the directory sees that it lost it.
fn delete_abandoned(path: &PathBuf, older_than: Duration) -> bool {
    let Ok(directory) = File::open(path) else { return false };
    let is_old = age(&directory).is_some_and(|age| age > older_than);
    let is_dead = flock(&directory, FlockOperation::NonBlockingLockExclusive).is_ok();
    (is_dead || is_old) && delete(path)
}

/// Since something was last put into the directory; `None` if that is in the future.
fn age(directory: &File) -> Option<Duration> {
    SystemTime::now().duration_since(directory.metadata().ok()?.modified().ok()?).ok()
}

fn delete(path: &PathBuf) -> bool {
    match fs::remove_dir_all(path) {
        Ok(()) => true,
        // Another process sweeps too.
        Err(error) if error.kind() == io::ErrorKind::NotFound => false,
        Err(error) => {
            tracing::warn!(path = %path.display(), %error, "cannot sweep");
            false
        }
    }
}
