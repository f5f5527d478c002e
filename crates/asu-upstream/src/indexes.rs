//! Which packages there are in which versions: of a target with its kernel modules, and of an architecture.

use std::sync::Arc;

use asu_core::{Arch, IndexFile, PackageIndex, Target, TargetMetadata, Version};
use futures::future::try_join_all;

use crate::{
    catalog::{Catalog, Files, Known, unavailable},
    error::CatalogError,
};

impl Catalog {
    /// The packages of a target, its kernel modules among them; `None` if upstream has no list of them.
    ///
    /// # Errors
    /// A version or target that there is not, or `Unavailable`.
    pub async fn target_index(&self, version: &Version, target: &Target) -> Result<Option<PackageIndex>, CatalogError> {
        let files = &self.inner.files;
        let metadata = self.profiles(version, target).await?;
        let directory = format!("{}/targets/{target}", files.directory(version).await?);
        let Some(packages) = files.index(&format!("{directory}/packages")).await? else { return Ok(None) };
        Ok(Some(match files.kmods(&directory, version, &metadata).await? {
            Some(kmods) => packages.with(&kmods),
            None => PackageIndex::clone(&packages),
        }))
    }

    /// The packages of an architecture, feed by feed in the order of feeds.conf; `None` if upstream does not have the
    /// architecture. Feeds that upstream lacks are left out.
    ///
    /// # Errors
    /// A version that there is not, or `Unavailable`.
    pub async fn arch_index(
        &self,
        version: &Version,
        arch: &Arch,
    ) -> Result<Option<Vec<Arc<PackageIndex>>>, CatalogError> {
        let files = &self.inner.files;
        let directory = files.directory(version).await?;
        // A name of dots alone would be another directory.
        let is_name = arch.as_str().chars().any(|c| c.is_ascii_alphanumeric());
        if !is_name || files.has_arch(&directory, arch).await == Known::No {
            return Ok(None);
        }
        let directory = format!("{directory}/packages/{arch}");
        let path = format!("{directory}/feeds.conf");
        let feeds = match files.feeds.get(&path).await {
            Ok(copy) => copy.value,
            Err(no_copy) if no_copy.is_missing() => return Ok(None),
            Err(no_copy) => return Err(unavailable(&path, no_copy)),
        };
        let directories: Vec<_> = feeds.0.iter().map(|feed| format!("{directory}/{feed}")).collect();
        let indexes = try_join_all(directories.iter().map(|directory| files.index(directory))).await?;
        Ok(Some(indexes.into_iter().flatten().collect()))
    }
}

impl Files {
    /// The packages of a directory, by the best of its files: an index.json of the current form, the Packages text, an
    /// index.json of the old form, whose names few ask for.
    async fn index(&self, directory: &str) -> Result<Option<Arc<PackageIndex>>, CatalogError> {
        let json = format!("{directory}/index.json");
        let from_json = match self.indexes.get(&json).await.map(|copy| (*copy.value).clone()) {
            Ok(IndexFile::Current(index)) => return Ok(Some(index)),
            Ok(IndexFile::Old(index)) => Ok(Some(index)),
            Err(no_copy) if no_copy.is_missing() => Ok(None),
            Err(no_copy) => Err(unavailable(&json, no_copy)),
        };
        let text = format!("{directory}/Packages");
        match self.packages.get(&text).await {
            Ok(copy) => Ok(Some(Arc::clone(&copy.value.0))),
            Err(no_copy) if no_copy.is_missing() => from_json,
            Err(no_copy) => Err(unavailable(&text, no_copy)),
        }
    }

    async fn kmods(
        &self,
        directory: &str,
        version: &Version,
        metadata: &TargetMetadata,
    ) -> Result<Option<Arc<PackageIndex>>, CatalogError> {
        let kernel = metadata.linux_kernel.as_ref().filter(|_| version.has_kmods_directory());
        match kernel.and_then(|kernel| kernel.kmods_directory()) {
            Some(kmods) => self.index(&format!("{directory}/kmods/{kmods}")).await,
            None => Ok(None),
        }
    }
}
