//! The store, wherever it is: the calls that everybody else makes.

use std::{sync::Arc, time::Duration};

use crate::{
    bin_dir::BinDir,
    bucket::BucketStore,
    config::{BackendKind, Config},
    entries::Entries,
    error::StoreError,
    file_name::FileName,
    local_store::LocalStore,
    open::{Access, Opened},
    space::Space,
    staging::{Destination, Staging},
};

/// Finished builds. Several processes may use one store at the same time; clones are the same store.
#[derive(Debug, Clone)]
pub struct Store {
    backend: Backend,
}

#[derive(Debug, Clone)]
enum Backend {
    Local(LocalStore),
    Bucket(Arc<BucketStore>),
}

impl Store {
    /// The store that the settings name. A directory is made if it is not there; a bucket may be away.
    ///
    /// # Errors
    /// The directory cannot be made, or the settings lead to no bucket.
    pub async fn open(config: &Config) -> Result<Self, StoreError> {
        let backend = match config.store_backend {
            BackendKind::Local => {
                Backend::Local(LocalStore::open(&config.public_path.join("store"), config.store_min_free).await?)
            }
            BackendKind::S3 => Backend::Bucket(Arc::new(BucketStore::new(config)?)),
        };
        Ok(Self { backend })
    }

    /// A fresh, empty directory for the files of a build.
    ///
    /// # Errors
    /// It cannot be made; [`StoreError::is_full`] tells a full disk.
    pub async fn begin(&self, bin_dir: &BinDir) -> Result<Staging, StoreError> {
        match &self.backend {
            Backend::Local(store) => Ok(Staging::new(store.begin(bin_dir).await?, Destination::Here)),
            Backend::Bucket(store) => {
                let directory = store.staging().await?.begin(bin_dir).await?;
                Ok(Staging::new(directory, Destination::Bucket(Arc::clone(store))))
            }
        }
    }

    /// Opens a file of a published build. `None` if there is none, or no plain file.
    ///
    /// # Errors
    /// The store fails, or the file may not be read.
    pub async fn open_file(
        &self,
        bin_dir: &BinDir,
        file: &FileName,
        access: Access,
    ) -> Result<Option<Opened>, StoreError> {
        match &self.backend {
            Backend::Local(store) => store.open_file(bin_dir, file).await,
            Backend::Bucket(store) => Ok(store.open_file(bin_dir, file, access).await?.map(Opened::Redirect)),
        }
    }

    /// True if the build is published.
    ///
    /// # Errors
    /// The store cannot be asked: of a volume that is not mounted nobody can say what it holds.
    pub async fn contains(&self, bin_dir: &BinDir) -> Result<bool, StoreError> {
        match &self.backend {
            Backend::Local(store) => store.contains(bin_dir).await,
            Backend::Bucket(store) => store.contains(bin_dir).await,
        }
    }

    /// Deletes a build: it is gone at once and as a whole, its files soon after. False if it was not there.
    ///
    /// # Errors
    /// It is still there, or some of its files are and will be swept.
    pub async fn remove(&self, bin_dir: &BinDir) -> Result<bool, StoreError> {
        match &self.backend {
            Backend::Local(store) => store.remove(bin_dir).await,
            Backend::Bucket(store) => store.remove(bin_dir).await,
        }
    }

    /// All published builds with their sizes and times, and what is nothing of the store's.
    ///
    /// # Errors
    /// The store cannot be looked through. A build that disappears meanwhile is left out.
    pub async fn entries(&self) -> Result<Entries, StoreError> {
        match &self.backend {
            Backend::Local(store) => store.entries().await,
            Backend::Bucket(store) => store.entries().await,
        }
    }

    /// Deletes what builders left that are dead or began longer than `older_than` ago, and what deletions left.
    /// Returns how many builds went.
    ///
    /// # Errors
    /// The store cannot be looked through.
    pub async fn sweep_temporary(&self, older_than: Duration) -> Result<usize, StoreError> {
        match &self.backend {
            Backend::Local(store) => store.sweep_temporary(older_than).await,
            Backend::Bucket(store) => store.sweep_temporary(older_than).await,
        }
    }

    /// How much room there is for finished builds; `None` if the store knows no bounds.
    ///
    /// # Errors
    /// The filesystem cannot be asked.
    pub async fn free_space(&self) -> Result<Option<Space>, StoreError> {
        match &self.backend {
            Backend::Local(store) => store.space().await.map(Some),
            Backend::Bucket(_) => Ok(None),
        }
    }

    /// How much room the disk has on which builds are staged; that of a local store holds the finished ones too.
    ///
    /// # Errors
    /// The filesystem cannot be asked.
    pub async fn staging_space(&self) -> Result<Space, StoreError> {
        match &self.backend {
            Backend::Local(store) => store.space().await,
            Backend::Bucket(store) => store.staging().await?.space().await,
        }
    }

    /// Refuses if there is less free space to stage builds than `store_min_free`; a worker asks before it takes one.
    ///
    /// # Errors
    /// [`StoreError::LowSpace`], or the filesystem cannot be asked.
    pub async fn check_space(&self) -> Result<(), StoreError> {
        match &self.backend {
            Backend::Local(store) => store.check_space().await,
            Backend::Bucket(store) => store.staging().await?.check_space().await,
        }
    }

    /// Tries whether builds can be published; for `/ready` of whoever builds.
    ///
    /// # Errors
    /// They cannot.
    pub async fn check_writable(&self) -> Result<(), StoreError> {
        match &self.backend {
            Backend::Local(store) => store.check_writable().await,
            Backend::Bucket(store) => store.check_writable().await,
        }
    }

    /// Tries whether builds can be read; for `/ready` of whoever serves.
    ///
    /// # Errors
    /// They cannot.
    pub async fn check_readable(&self) -> Result<(), StoreError> {
        match &self.backend {
            Backend::Local(store) => store.check_writable().await,
            Backend::Bucket(store) => store.check_readable().await,
        }
    }
}
