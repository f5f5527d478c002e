//! The directory of a build in the making, which nobody sees until it is complete.

use std::{
    fs::{self, DirBuilder, File, Permissions},
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

use rustix::{
    fs::{CWD, FlockOperation, RenameFlags, flock, renameat_with},
    io::Errno,
};

use crate::{
    bin_dir::BinDir,
    contents::{DIRECTORY_MODE, StagedFile, Unfit, files, settle, sync, within},
    entry_name::staging_name,
    error::StoreError,
    local_store::blocking,
};

/// Only the builder looks into it before it is published.
const STAGING_MODE: u32 = 0o700;

/// A fresh directory beside the final one, on the same filesystem. Dropping it deletes it with all it holds.
#[derive(Debug)]
pub(crate) struct StagingDirectory {
    bin_dir: BinDir,
    store: PathBuf,
    path: PathBuf,
    /// Held as long as the builder lives, so that others can tell a dead one's leavings. The kernel lets go of it.
    _lock: File,
    published: bool,
}

impl StagingDirectory {
    /// Where to put the files; any files and directories.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// What it will be called.
    pub(crate) fn bin_dir(&self) -> &BinDir {
        &self.bin_dir
    }

    /// Writes everything out to the disk and makes it visible in one step.
    ///
    /// # Errors
    /// Something that is neither file nor directory, a directory of that name, or a disk that fails. Nothing is visible
    /// then, what was staged is deleted, and what was published before stays as it was.
    pub(crate) async fn publish(mut self) -> Result<(), StoreError> {
        blocking(move || {
            self.settle()?;
            self.reveal()?;
            self.published = true;
            let synced = sync(&self.store);
            synced.map_err(|source| StoreError::Publish { bin_dir: self.bin_dir.clone(), source })
        })
        .await
    }

    pub(crate) fn begin(store: &Path, bin_dir: &BinDir) -> io::Result<Self> {
        loop {
            let path = store.join(staging_name(bin_dir));
            DirBuilder::new().mode(STAGING_MODE).create(&path)?;
            if let Some(lock) = lock(&path)? {
                let (bin_dir, store) = (bin_dir.clone(), store.to_owned());
                return Ok(Self { bin_dir, store, path, _lock: lock, published: false });
            }
        }
    }

    /// The files that it holds. Something that is neither file nor directory is named by its path within it.
    pub(crate) async fn files(&self) -> Result<Vec<StagedFile>, Unfit> {
        let path = self.path.clone();
        blocking(move || files(&path).map_err(|unfit| seen_from(&path, unfit))).await
    }

    fn settle(&self) -> Result<(), StoreError> {
        let bin_dir = self.bin_dir.clone();
        settle(&self.path).map_err(|unfit| match seen_from(&self.path, unfit) {
            Unfit::Io(source) => StoreError::Publish { bin_dir, source },
            Unfit::NotAFile(path) => StoreError::NotAFile { bin_dir, path },
        })
    }

    fn reveal(&self) -> Result<(), StoreError> {
        let target = self.store.join(self.bin_dir.as_str());
        match rename_to_nothing(&self.path, &target) {
            Ok(()) => Ok(()),
            Err(Errno::EXIST | Errno::NOTEMPTY) => Err(StoreError::AlreadyPublished { bin_dir: self.bin_dir.clone() }),
            Err(error) => Err(StoreError::Publish { bin_dir: self.bin_dir.clone(), source: error.into() }),
        }
    }
}

impl Drop for StagingDirectory {
    fn drop(&mut self) {
        if self.published {
            return;
        }
        // A sweeper may come between and delete the same; that is no matter.
        let path = std::mem::take(&mut self.path);
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn_blocking(move || delete(&path))),
            Err(_no_runtime) => delete(&path),
        }
    }
}

fn seen_from(directory: &Path, unfit: Unfit) -> Unfit {
    match unfit {
        Unfit::NotAFile(path) => Unfit::NotAFile(within(directory, &path)),
        Unfit::Io(error) => Unfit::Io(error),
    }
}

fn delete(path: &Path) {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            tracing::warn!(path = %path.display(), %error, "cannot delete an unfinished build; it will be swept");
        }
        Ok(()) | Err(_) => {}
    }
}

/// `None` if a sweeper was faster: between making and locking, the directory looks like a dead builder's.
fn lock(path: &Path) -> io::Result<Option<File>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(Errno::AGAIN) => return Ok(None),
        // Some network filesystems cannot; the age of the directory is then all that a sweeper goes by.
        Err(error) => tracing::debug!(path = %path.display(), %error, "cannot lock an unfinished build"),
    }
    let still_there = fs::metadata(path).is_ok_and(|there| same_file(&there, &file));
    Ok(still_there.then_some(file))
}

fn same_file(there: &fs::Metadata, file: &File) -> bool {
    file.metadata().is_ok_and(|held| (held.dev(), held.ino()) == (there.dev(), there.ino()))
}

fn rename_to_nothing(from: &Path, to: &Path) -> Result<(), Errno> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // A filesystem that does not know the flag. Plain rename replaces an empty directory at most, so
        // nothing that anybody could have been given.
        Err(Errno::INVAL | Errno::NOSYS) => rustix::fs::rename(from, to),
        other => other,
    }
}

/// The store's own directory, made with its parents if it is not there.
pub(crate) fn create_store(path: &Path) -> io::Result<()> {
    if !path.is_dir() {
        fs::create_dir_all(path)?;
        fs::set_permissions(path, Permissions::from_mode(DIRECTORY_MODE))?;
    }
    Ok(())
}
