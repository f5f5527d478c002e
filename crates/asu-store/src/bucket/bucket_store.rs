//! The calls of the store, made to a bucket.

use std::{error::Error, io, path::Path as FilePath, sync::Arc, time::Duration};

use futures::{StreamExt, TryStreamExt, stream};
use object_store::{ObjectStore, ObjectStoreExt, signer::Signer};

use crate::{
    bin_dir::BinDir,
    bucket::{
        client::Client,
        error::BucketError,
        listing::Listing,
        marker::{MARKER, Marker, Uploaded},
        probe::Probe,
        seen::Seen,
        upload::{Manner, upload},
        url::public_url,
    },
    config::Config,
    contents::{StagedFile, Unfit},
    entries::Entries,
    error::StoreError,
    file_name::FileName,
    local_store::LocalStore,
    open::{Access, Redirect},
    staging_directory::StagingDirectory,
};

/// `<s3_prefix>/<bin_dir>/<file>` in `s3_bucket`, and a disk to stage builds on.
#[derive(Debug)]
pub(crate) struct BucketStore {
    client: Client,
    seen: Seen,
    readable: Probe,
    writable: Probe,
    staging: LocalStore,
    config: Config,
}

impl BucketStore {
    /// Nothing is asked yet: a bucket that is away when we start may come back.
    ///
    /// # Errors
    /// Settings that cannot be used.
    pub(crate) fn new(config: &Config) -> Result<Self, StoreError> {
        let client = Client::new(config).map_err(|error| StoreError::Configure { source: error.into() })?;
        Ok(Self {
            client,
            seen: Seen::new(config.s3_lookup_ttl.get()),
            readable: Probe::new(config.s3_check_interval.get()),
            writable: Probe::new(config.s3_check_interval.get()),
            staging: LocalStore::at(&config.staging_path(), config.store_min_free),
            config: config.clone(),
        })
    }

    /// The place on our disk where builds are staged; made if it is not there, so only for whoever builds.
    pub(crate) async fn staging(&self) -> Result<&LocalStore, StoreError> {
        self.staging.create().await?;
        Ok(&self.staging)
    }

    /// Uploads what is staged: all files, and then what makes them a build.
    ///
    /// # Errors
    /// As [`crate::Staging::publish`] has it. What was uploaded is deleted again, as far as the bucket can be reached.
    pub(crate) async fn publish(&self, directory: &StagingDirectory) -> Result<(), StoreError> {
        let bin_dir = directory.bin_dir();
        let failed = |error: BucketError| StoreError::Publish { bin_dir: bin_dir.clone(), source: error.into() };
        let marker = self.client.key(bin_dir, MARKER).map_err(failed)?;
        if self.client.holds(&marker).await.map_err(failed)? {
            return Err(StoreError::AlreadyPublished { bin_dir: bin_dir.clone() });
        }
        let files = directory.files().await.map_err(|unfit| match unfit {
            Unfit::Io(source) => StoreError::Publish { bin_dir: bin_dir.clone(), source },
            Unfit::NotAFile(path) => StoreError::NotAFile { bin_dir: bin_dir.clone(), path },
        })?;
        if let Err(error) = self.upload_all(bin_dir, directory.path(), files).await {
            self.writable.doubt();
            self.take_back(bin_dir).await;
            return Err(failed(error));
        }
        Ok(())
    }

    /// An address where the file can be read. `None` if there is no such build or file.
    pub(crate) async fn open_file(
        &self,
        bin_dir: &BinDir,
        file: &FileName,
        access: Access,
    ) -> Result<Option<Redirect>, StoreError> {
        let failed = |source: io::Error| StoreError::Open { bin_dir: bin_dir.clone(), file: file.clone(), source };
        let key = self.client.key(bin_dir, file.as_str()).map_err(|error| failed(error.into()))?;
        // The build first: most of what is not there is a build that is not there.
        if !self.contains(bin_dir).await? || !self.holds(key.clone()).await.map_err(failed)? {
            return Ok(None);
        }
        if !self.config.s3_public_url.is_empty() {
            let url = public_url(&self.config.s3_public_url, bin_dir, file);
            return Ok(Some(Redirect { url, lasts: Some(self.config.s3_lookup_ttl.get()) }));
        }
        let signed =
            self.client.in_time(self.client.s3.signed_url(access.method(), &key, self.config.s3_presign_for.get()));
        let url = signed.await.map_err(|error| failed(error.into()))?;
        Ok(Some(Redirect { url: url.into(), lasts: None }))
    }

    /// True if the build is published, or was a moment ago.
    pub(crate) async fn contains(&self, bin_dir: &BinDir) -> Result<bool, StoreError> {
        let place = self.client.place();
        let failed = |source| StoreError::List { place: place.to_owned(), source };
        let marker = self.client.key(bin_dir, MARKER).map_err(|error| failed(error.into()))?;
        self.holds(marker).await.map_err(failed)
    }

    /// Deletes a build; what makes it one goes first. False if it was not there.
    pub(crate) async fn remove(&self, bin_dir: &BinDir) -> Result<bool, StoreError> {
        let removed = self.delete(bin_dir).await;
        removed.map_err(|error| StoreError::Remove { bin_dir: bin_dir.clone(), source: error.into() })
    }

    /// All published builds, and what is none of ours.
    pub(crate) async fn entries(&self) -> Result<Entries, StoreError> {
        Ok(self.list().await?.entries())
    }

    /// Deletes what was uploaded longer than `older_than` ago by workers that died before they were done. Returns how
    /// many builds went.
    pub(crate) async fn sweep_temporary(&self, older_than: Duration) -> Result<usize, StoreError> {
        let mut swept = self.staging().await?.sweep_temporary(older_than).await?;
        for bin_dir in self.list().await?.abandoned(older_than) {
            match self.delete(&bin_dir).await {
                Ok(_) => swept += 1,
                Err(error) => tracing::warn!(%bin_dir, %error, "cannot sweep"),
            }
        }
        Ok(swept)
    }

    /// Writes a few bytes and deletes them.
    pub(crate) async fn check_writable(&self) -> Result<(), StoreError> {
        let (client, key) = (&self.client, self.client.probe_key());
        let asked = self.writable.ask(async {
            client.in_time(client.s3.put(&key, "asu".into())).await?;
            client.in_time(client.s3.delete(&key)).await
        });
        asked.await.map_err(|error| StoreError::Unusable { what: "written", source: error.into() })
    }

    /// Asks for something that need not be there.
    pub(crate) async fn check_readable(&self) -> Result<(), StoreError> {
        let asked = self.readable.ask(async { self.client.holds(&self.client.probe_key()).await.map(drop) });
        asked.await.map_err(|error| StoreError::Unusable { what: "read", source: error.into() })
    }

    async fn upload_all(
        &self,
        bin_dir: &BinDir,
        directory: &FilePath,
        files: Vec<StagedFile>,
    ) -> Result<(), BucketError> {
        let manner = Manner { part_size: self.config.s3_part_size.get(), read_back: self.config.s3_read_back };
        let uploads = files.into_iter().map(|file| async move {
            let name = file.name().ok_or_else(|| BucketError::Name { name: file.path.display().to_string() })?;
            let key = self.client.key(bin_dir, name)?;
            upload(&self.client, manner, &key, name, &directory.join(&file.path)).await
        });
        let mut uploaded: Vec<Uploaded> =
            stream::iter(uploads).buffer_unordered(self.config.s3_parallel_uploads).try_collect().await?;
        uploaded.sort();
        let marker = Marker { files: uploaded }.render();
        self.client.s3.put(&self.client.key(bin_dir, MARKER)?, marker.into()).await?;
        Ok(())
    }

    /// What cannot be deleted now is swept one day.
    async fn take_back(&self, bin_dir: &BinDir) {
        if let Err(error) = self.delete(bin_dir).await {
            tracing::warn!(%bin_dir, %error, "a part of a build stays in the bucket; it will be swept");
        }
    }

    async fn delete(&self, bin_dir: &BinDir) -> Result<bool, BucketError> {
        let marker = self.client.key(bin_dir, MARKER)?;
        let was_there = self.client.holds(&marker).await?;
        self.client.s3.delete(&marker).await?;
        self.seen.forget(&marker).await;
        let s3 = &self.client.s3;
        let keys: Vec<_> =
            s3.list(Some(&self.client.directory(bin_dir))).map_ok(|object| object.location).try_collect().await?;
        s3.delete_stream(stream::iter(keys).map(Ok).boxed()).try_collect::<Vec<_>>().await?;
        Ok(was_there)
    }

    async fn holds(&self, key: object_store::path::Path) -> io::Result<bool> {
        self.seen
            .holds(&self.client, key)
            .await
            .map_err(|error| io::Error::other(error as Arc<dyn Error + Send + Sync>))
    }

    async fn list(&self) -> Result<Listing, StoreError> {
        let listing = Listing::read(&self.client).await;
        listing.map_err(|error| StoreError::List { place: self.client.place().to_owned(), source: error.into() })
    }
}
