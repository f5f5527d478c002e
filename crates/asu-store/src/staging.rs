//! A build in the making, wherever it will go.

use std::{path::Path, sync::Arc};

use crate::{
    bin_dir::BinDir, bucket::BucketStore, contents::size, error::StoreError, local_store::blocking,
    staging_directory::StagingDirectory,
};

/// A fresh directory on this machine for the files of a build. Dropping it deletes it with all it holds.
#[derive(Debug)]
pub struct Staging {
    directory: StagingDirectory,
    destination: Destination,
}

/// Where a staged build goes.
#[derive(Debug)]
pub(crate) enum Destination {
    /// Beside itself, under its name.
    Here,
    /// Into the bucket.
    Bucket(Arc<BucketStore>),
}

impl Staging {
    pub(crate) fn new(directory: StagingDirectory, destination: Destination) -> Self {
        Self { directory, destination }
    }

    /// Where to put the files; any files and directories.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// What it will be called.
    pub fn bin_dir(&self) -> &BinDir {
        self.directory.bin_dir()
    }

    /// The bytes of what has been put into it.
    ///
    /// # Errors
    /// The disk fails.
    pub async fn size(&self) -> Result<u64, StoreError> {
        let (path, bin_dir) = (self.path().to_owned(), self.bin_dir().clone());
        blocking(move || size(&path).map_err(|source| StoreError::Stage { bin_dir, source })).await
    }

    /// Makes everything durable and visible, in one step for whoever reads.
    ///
    /// # Errors
    /// Something that is neither file nor directory, a build of that name, or a store that fails. Nothing is visible
    /// then, what was staged is deleted, and what was published before stays as it was.
    pub async fn publish(self) -> Result<(), StoreError> {
        match &self.destination {
            Destination::Here => self.directory.publish().await,
            Destination::Bucket(bucket) => bucket.publish(&self.directory).await,
        }
    }
}
