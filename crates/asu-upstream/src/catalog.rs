//! The catalog: which versions, targets and profiles there are, as upstream says or last said.

use std::{sync::Arc, time::Duration};

use asu_core::{Arch, IndexFile, Target, TargetMetadata, Version};
use tokio::time;

use crate::{
    branches::BranchTable,
    cached_file::{Condition, NoCopy},
    config::Config,
    documents::{Document, Feeds, PackagesText, Targets, Versions},
    error::{CatalogError, FetchError, InvalidUpstream, chain},
    fetcher::Fetcher,
    file_cache::FileCache,
    health::UpstreamHealth,
    overview::LastOverview,
    policy::Policy,
};

/// How often failing files are looked after.
const TEND_INTERVAL: Duration = Duration::from_secs(1);

const VERSIONS_JSON: &str = ".versions.json";

/// What the upstream of one distribution has, from memory where possible. Clones share everything.
#[derive(Clone)]
pub struct Catalog {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    upstream_url: String,
    fetcher: Arc<Fetcher>,
    pub(crate) policy: Policy,
    pub(crate) files: Files,
    pub(crate) last_overview: LastOverview,
}

/// The files of a distribution, by their kinds.
pub(crate) struct Files {
    branches: BranchTable,
    versions: FileCache<Versions>,
    pub(crate) targets: FileCache<Targets>,
    profiles: FileCache<TargetMetadata>,
    pub(crate) indexes: FileCache<IndexFile>,
    pub(crate) packages: FileCache<PackagesText>,
    pub(crate) feeds: FileCache<Feeds>,
}

/// Whether upstream has something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Known {
    Yes,
    No,
    /// The file that would say so is away, or too old to say no: the next file decides.
    Unsure,
}

impl Catalog {
    /// A catalog that has not read anything yet; it reads when it is asked.
    ///
    /// # Errors
    /// URLs or limits that cannot work, or a machine on which TLS cannot be set up.
    pub fn new(config: &Config) -> Result<Self, InvalidUpstream> {
        Self::with_branches(config, BranchTable::new(&config.branches))
    }

    pub(crate) fn with_branches(config: &Config, branches: BranchTable) -> Result<Self, InvalidUpstream> {
        let counts =
            [("upstream_max_files", config.upstream_max_files), ("upstream_max_indexes", config.upstream_max_indexes)];
        if let Some((key, _)) = counts.into_iter().find(|(_, count)| *count == 0) {
            return Err(InvalidUpstream::Zero(key));
        }
        let fetcher = Arc::new(Fetcher::new(config)?);
        let files = Files::new(config, branches, &fetcher);
        let upstream_url = config.upstream_url.trim_end_matches('/').to_owned();
        let (policy, last_overview) = (Policy::new(config), LastOverview::default());
        Ok(Self { inner: Arc::new(Inner { upstream_url, fetcher, policy, files, last_overview }) })
    }

    /// Where clients find the distribution, without a slash at the end; never the mirror.
    pub fn upstream_url(&self) -> &str {
        &self.inner.upstream_url
    }

    /// The branches of the settings and the built-in ones.
    pub fn branches(&self) -> &BranchTable {
        &self.inner.files.branches
    }

    /// What upstream has released.
    ///
    /// # Errors
    /// `Unavailable` while upstream's list was never read.
    pub async fn releases(&self) -> Result<Arc<Versions>, CatalogError> {
        match self.inner.files.versions.get(VERSIONS_JSON).await {
            Ok(copy) => Ok(copy.value),
            Err(no_copy) => Err(unavailable(VERSIONS_JSON, no_copy)),
        }
    }

    /// All versions of the branches that are served, snapshots included, newest first.
    ///
    /// # Errors
    /// `Unavailable` while upstream's list was never read.
    pub async fn versions(&self) -> Result<Vec<Version>, CatalogError> {
        Ok(self.versions_with(&*self.releases().await?))
    }

    /// The same, of a list that was read before.
    pub(crate) fn versions_with(&self, releases: &Versions) -> Vec<Version> {
        let branches = self.branches();
        let released = releases.iter().filter(|version| branches.serving(version).is_some()).cloned();
        let snapshots = branches.iter().filter(|branch| branch.enabled);
        let snapshots = snapshots.filter_map(|branch| Version::parse(&branch.snapshot_version()).ok());
        let mut versions: Vec<_> = released.chain(snapshots).collect();
        versions.sort_unstable_by(|a, b| b.cmp(a));
        versions.dedup();
        versions
    }

    /// The targets of a version, `None` if upstream has no list of them.
    ///
    /// # Errors
    /// A version that is not served, or `Unavailable`.
    pub async fn targets(&self, version: &Version) -> Result<Option<Arc<Targets>>, CatalogError> {
        let files = &self.inner.files;
        let directory = files.directory(version).await?;
        let path = targets_json(&directory);
        match files.targets.get(&path).await {
            Ok(copy) => Ok(Some(copy.value)),
            Err(NoCopy::Missing) => Ok(None),
            Err(no_copy @ NoCopy::Failed { .. }) => Err(unavailable(&path, no_copy)),
        }
    }

    /// The metadata of a target, with its profiles. Refusals come in the order branch, version, target.
    ///
    /// While a list is away or in doubt, the target's own profiles.json decides: where it is, version and target are,
    /// too; where upstream says it is not, nothing could be built. So nothing is refused only because a list is old.
    ///
    /// # Errors
    /// What the request is refused for, or `Unavailable`.
    pub async fn profiles(&self, version: &Version, target: &Target) -> Result<Arc<TargetMetadata>, CatalogError> {
        let files = &self.inner.files;
        let directory = files.directory(version).await?;
        if files.has_target(&directory, target).await == Known::No {
            return Err(CatalogError::UnsupportedTarget(target.clone()));
        }
        let path = format!("{directory}/targets/{target}/profiles.json");
        match files.profiles.get(&path).await {
            Ok(copy) => Ok(copy.value),
            Err(NoCopy::Missing) => Err(CatalogError::UnsupportedTarget(target.clone())),
            Err(no_copy @ NoCopy::Failed { .. }) => Err(unavailable(&path, no_copy)),
        }
    }

    /// Reads the list of versions, reads it again when it is old, and tries failing files again, until it is dropped.
    /// Without it a server that nobody asks because it is not ready would never become ready.
    pub async fn keep_fresh(&self) {
        let mut interval = time::interval(TEND_INTERVAL);
        interval.set_missed_tick_behavior(time::MissedTickBehavior::Delay);
        let files = &self.inner.files;
        loop {
            interval.tick().await;
            // What it says is kept in the file's own state, which health reads.
            let _ = files.versions.get(VERSIONS_JSON).await;
            files.tend();
        }
    }

    /// How upstream and the files from it are doing; reads the state only, and asks nobody.
    pub fn health(&self) -> UpstreamHealth {
        let Inner { fetcher, files, .. } = &*self.inner;
        let ready = files.versions.conditions().iter().any(|condition| condition.is_held);
        let conditions = files.conditions();
        let failures: Vec<_> = conditions.iter().filter_map(|condition| condition.failure.as_ref()).collect();
        let last = failures.iter().max_by_key(|failure| failure.since);
        UpstreamHealth {
            ready,
            last_success: fetcher.last_success(),
            files: conditions.iter().filter(|Condition { is_held, .. }| *is_held).count(),
            failing_files: failures.len(),
            oldest_stale: failures.iter().filter_map(|failure| failure.age).max(),
            last_error: last.map(|failure| format!("{}: {}", failure.path, chain(&failure.error))),
            fetches: fetcher.counts(),
        }
    }
}

impl Files {
    fn new(config: &Config, branches: BranchTable, fetcher: &Arc<Fetcher>) -> Self {
        let Config { upstream_max_files: files, upstream_max_indexes: indexes, .. } = *config;
        Self {
            branches,
            versions: file_cache(config, fetcher, files),
            targets: file_cache(config, fetcher, files),
            profiles: file_cache(config, fetcher, files),
            indexes: file_cache(config, fetcher, indexes),
            packages: file_cache(config, fetcher, indexes),
            feeds: file_cache(config, fetcher, files),
        }
    }

    fn tend(&self) {
        let Self { branches: _, versions, targets, profiles, indexes, packages, feeds } = self;
        versions.tend();
        targets.tend();
        profiles.tend();
        indexes.tend();
        packages.tend();
        feeds.tend();
    }

    fn conditions(&self) -> Vec<Condition> {
        let Self { branches: _, versions, targets, profiles, indexes, packages, feeds } = self;
        let lists = [versions.conditions(), targets.conditions(), profiles.conditions()];
        let packages = [indexes.conditions(), packages.conditions(), feeds.conditions()];
        lists.into_iter().chain(packages).flatten().collect()
    }

    /// Where the files of a version lie; a version that may exist is given the benefit of the doubt.
    pub(crate) async fn directory(&self, version: &Version) -> Result<String, CatalogError> {
        let unsupported_branch = || CatalogError::UnsupportedBranch(version.clone());
        let branch = self.branches.serving(version).ok_or_else(unsupported_branch)?;
        let is_known = if branch.snapshot || version.is_snapshot() {
            // Snapshots are in no list; only the branch's own name can be one.
            if branch.snapshot_version() == version.as_str() { Known::Yes } else { Known::No }
        } else {
            self.has_release(version).await
        };
        match is_known {
            Known::Yes | Known::Unsure => Ok(branch.version_path(version)),
            Known::No => Err(CatalogError::UnsupportedVersion(version.clone())),
        }
    }

    async fn has_release(&self, version: &Version) -> Known {
        match self.versions.get(VERSIONS_JSON).await {
            Ok(copy) if copy.value.contains(version) => Known::Yes,
            Ok(copy) if copy.doubt.is_none() => Known::No,
            Ok(_) | Err(NoCopy::Missing | NoCopy::Failed { .. }) => Known::Unsure,
        }
    }

    pub(crate) async fn has_arch(&self, directory: &str, arch: &Arch) -> Known {
        match self.targets.get(&targets_json(directory)).await {
            Ok(copy) if copy.value.has_arch(arch) => Known::Yes,
            Ok(copy) if copy.doubt.is_none() => Known::No,
            Ok(_) | Err(NoCopy::Missing | NoCopy::Failed { .. }) => Known::Unsure,
        }
    }

    async fn has_target(&self, directory: &str, target: &Target) -> Known {
        match self.targets.get(&targets_json(directory)).await {
            Ok(copy) if copy.value.contains(target) => Known::Yes,
            Ok(copy) if copy.doubt.is_none() => Known::No,
            // An empty half would be asked for as another path.
            Ok(_) | Err(NoCopy::Missing | NoCopy::Failed { .. }) if has_empty_half(target) => Known::No,
            Ok(_) | Err(NoCopy::Missing | NoCopy::Failed { .. }) => Known::Unsure,
        }
    }
}

fn file_cache<T: Document>(config: &Config, fetcher: &Arc<Fetcher>, max_files: usize) -> FileCache<T> {
    FileCache::new(Arc::clone(fetcher), Policy::new(config), max_files)
}

pub(crate) fn targets_json(directory: &str) -> String {
    format!("{directory}/.targets.json")
}

fn has_empty_half(target: &Target) -> bool {
    target.as_str().starts_with('/') || target.as_str().ends_with('/')
}

pub(crate) fn unavailable(path: &str, no_copy: NoCopy) -> CatalogError {
    let source = match no_copy {
        NoCopy::Failed { error, .. } => error,
        // A list that every upstream has: not having it is an upstream that is broken.
        NoCopy::Missing => Arc::new(FetchError::Status(reqwest::StatusCode::NOT_FOUND)),
    };
    CatalogError::Unavailable { path: path.to_owned(), source }
}
