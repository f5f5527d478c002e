//! The store in a local or shared directory.

use std::{fs, io, path::Path, sync::Arc, time::Duration};

use asu_config::ByteSize;
use rustix::io::Errno;

use crate::{
    bin_dir::BinDir,
    contents::size,
    entries::{Entries, Published},
    entry_name::{EntryName, PROBE, doomed_name},
    error::StoreError,
    file_name::FileName,
    open::{Opened, open},
    space::Space,
    staging_directory::{StagingDirectory, create_store},
    sweep::sweep,
};

/// `<public_path>/store`. Several processes may use one directory at the same time.
#[derive(Debug, Clone)]
pub(crate) struct LocalStore {
    path: Arc<Path>,
    min_free: ByteSize,
}

impl LocalStore {
    /// Makes the directory if it is not there.
    ///
    /// # Errors
    /// It cannot be made.
    pub(crate) async fn open(path: &Path, min_free: ByteSize) -> Result<Self, StoreError> {
        let store = Self::at(path, min_free);
        store.create().await?;
        Ok(store)
    }

    /// A directory that is made when it is needed.
    pub(crate) fn at(path: &Path, min_free: ByteSize) -> Self {
        Self { path: path.into(), min_free }
    }

    /// Makes the directory if it is not there.
    pub(crate) async fn create(&self) -> Result<(), StoreError> {
        let path = self.path.clone();
        let created =
            move || create_store(&path).map_err(|source| StoreError::Create { path: path.to_path_buf(), source });
        blocking(created).await
    }

    /// A fresh, empty directory for the files of a build.
    ///
    /// # Errors
    /// It cannot be made; [`StoreError::is_full`] tells a full disk.
    pub(crate) async fn begin(&self, bin_dir: &BinDir) -> Result<StagingDirectory, StoreError> {
        let (store, bin_dir) = (self.path.clone(), bin_dir.clone());
        blocking(move || {
            StagingDirectory::begin(&store, &bin_dir).map_err(|source| StoreError::Stage { bin_dir, source })
        })
        .await
    }

    /// Opens a file of a published build. `None` if there is none, or no plain file: links are not followed.
    ///
    /// # Errors
    /// The disk fails, or the file may not be read.
    pub(crate) async fn open_file(&self, bin_dir: &BinDir, file: &FileName) -> Result<Option<Opened>, StoreError> {
        let (store, bin_dir, file) = (self.path.clone(), bin_dir.clone(), file.clone());
        blocking(move || match open(&store, &bin_dir, &file) {
            Ok(found) => Ok(found.map(Opened::File)),
            Err(source) => Err(StoreError::Open { bin_dir, file, source }),
        })
        .await
    }

    /// True if the build is published.
    ///
    /// # Errors
    /// The disk fails, or the store itself is not there: of a volume that is not mounted nobody can say what it holds.
    pub(crate) async fn contains(&self, bin_dir: &BinDir) -> Result<bool, StoreError> {
        let (store, bin_dir) = (self.path.clone(), bin_dir.clone());
        blocking(move || {
            contains(&store, &bin_dir).map_err(|source| StoreError::List { place: store.display().to_string(), source })
        })
        .await
    }

    /// Deletes a build: it is gone at once and as a whole, its files soon after. False if it was not there.
    ///
    /// # Errors
    /// It is still there, or some of its files are and will be swept.
    pub(crate) async fn remove(&self, bin_dir: &BinDir) -> Result<bool, StoreError> {
        let (store, bin_dir) = (self.path.clone(), bin_dir.clone());
        blocking(move || remove(&store, &bin_dir).map_err(|source| StoreError::Remove { bin_dir, source })).await
    }

    /// All published builds and what is nothing of the store's, in no order.
    ///
    /// # Errors
    /// The directory cannot be read. A build that disappears meanwhile is left out.
    pub(crate) async fn entries(&self) -> Result<Entries, StoreError> {
        let store = self.path.clone();
        blocking(move || list(&store).map_err(|source| StoreError::List { place: store.display().to_string(), source }))
            .await
    }

    /// Deletes what builders left that are dead or began longer than `older_than` ago, and what deletions left.
    /// Returns how many directories went.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub(crate) async fn sweep_temporary(&self, older_than: Duration) -> Result<usize, StoreError> {
        let store = self.path.clone();
        let swept = move || {
            sweep(&store, older_than).map_err(|source| StoreError::List { place: store.display().to_string(), source })
        };
        blocking(swept).await
    }

    /// How much room there is.
    ///
    /// # Errors
    /// The filesystem cannot be asked.
    pub(crate) async fn space(&self) -> Result<Space, StoreError> {
        let store = self.path.clone();
        blocking(move || {
            Space::of(&store).map_err(|source| StoreError::List { place: store.display().to_string(), source })
        })
        .await
    }

    /// Refuses if there is less free space than `store_min_free`; a worker asks before it takes a build.
    ///
    /// # Errors
    /// [`StoreError::LowSpace`], or the filesystem cannot be asked.
    pub(crate) async fn check_space(&self) -> Result<(), StoreError> {
        let Space { free, total: _ } = self.space().await?;
        if free < self.min_free.get() { Err(StoreError::LowSpace { free, floor: self.min_free }) } else { Ok(()) }
    }

    /// Writes a few bytes and deletes them; for `/ready`.
    ///
    /// # Errors
    /// [`StoreError::NotWritable`].
    pub(crate) async fn check_writable(&self) -> Result<(), StoreError> {
        let store = self.path.clone();
        let checked = move || write_and_delete(&store).map_err(|source| StoreError::NotWritable { source });
        blocking(checked).await
    }
}

/// File work may take long; it must not hold up the runtime's own threads.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime is going away and takes the waiting caller with it.
            Err(_cancelled) => std::future::pending().await,
        },
    }
}

fn contains(store: &Path, bin_dir: &BinDir) -> io::Result<bool> {
    match fs::symlink_metadata(store.join(bin_dir.as_str())) {
        Ok(metadata) => Ok(metadata.is_dir()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => fs::metadata(store).map(|_| false),
        Err(error) => Err(error),
    }
}

fn remove(store: &Path, bin_dir: &BinDir) -> io::Result<bool> {
    let doomed = store.join(doomed_name(bin_dir));
    match rustix::fs::rename(store.join(bin_dir.as_str()), &doomed) {
        Ok(()) => fs::remove_dir_all(doomed).map(|()| true),
        Err(Errno::NOENT) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn list(store: &Path) -> io::Result<Entries> {
    let mut entries = Entries::default();
    for entry in fs::read_dir(store)? {
        let entry = entry?;
        let name = entry.file_name();
        let bin_dir = match name.to_str().and_then(EntryName::parse) {
            Some(EntryName::Published(bin_dir)) => bin_dir,
            Some(EntryName::Staging | EntryName::Doomed | EntryName::Probe) => continue,
            None => {
                entries.strange.push(name.to_string_lossy().into_owned());
                continue;
            }
        };
        match describe(bin_dir, &entry.path()) {
            Ok(build) => entries.builds.push(build),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            // It has the name of a build and is none.
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
                entries.strange.push(name.to_string_lossy().into_owned());
            }
            Err(error) => return Err(error),
        }
    }
    Ok(entries)
}

fn describe(bin_dir: BinDir, path: &Path) -> io::Result<Published> {
    Ok(Published { bin_dir, modified: fs::symlink_metadata(path)?.modified()?, size: size(path)? })
}

fn write_and_delete(store: &Path) -> io::Result<()> {
    let path = store.join(PROBE);
    let written = fs::write(&path, b"asu");
    match fs::remove_file(&path) {
        // Another process was at it, too.
        Err(error) if error.kind() == io::ErrorKind::NotFound => written,
        deleted => written.and(deleted),
    }
}
