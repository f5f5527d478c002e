//! All branches with their versions and targets, collected from the files of many versions.

use std::sync::{Arc, Mutex, PoisonError};

use asu_core::{BranchOverview, Overview, Version, latest_versions};
use futures::future::join_all;
use tokio::time;

use crate::{
    branches::BranchEntry,
    cached_file::{Copy, NoCopy},
    catalog::{Catalog, targets_json, unavailable},
    documents::{Targets, Versions},
    error::{CatalogError, FetchError},
};

/// The overview that was collected last, for as long as nothing changes and while upstream keeps a reader waiting.
#[derive(Default)]
pub(crate) struct LastOverview(Mutex<Option<Arc<Collected>>>);

/// An overview and what it was made of.
struct Collected {
    overview: Arc<Overview>,
    releases: Arc<Versions>,
    /// The versions of each branch, newest first.
    versions: Arc<[Vec<Version>]>,
    /// The targets of each branch.
    targets: Vec<Option<Arc<Targets>>>,
}

/// What is known about the targets of a branch.
enum BranchTargets {
    Found(Arc<Targets>),
    /// Upstream has no list for any of its versions.
    None,
    /// There is none at hand, and not because upstream said so.
    Unavailable(CatalogError),
}

impl Catalog {
    /// All branches, newest first; the same value until upstream's files change. The targets of a branch are those of the
    /// newest version that has some: a list that is missing or broken leads to the version before.
    ///
    /// # Errors
    /// `Unavailable` if nothing was ever collected and upstream's list of versions, or every list of targets, is away.
    pub async fn overview(&self) -> Result<Arc<Overview>, CatalogError> {
        let Some(last) = self.inner.last_overview.get() else {
            return Ok(self.collect(None).await?.overview.clone());
        };
        // Whoever can be answered does not wait for a file that hangs; its fetch goes on.
        match time::timeout(self.inner.policy.patience, self.collect(Some(&last))).await {
            Ok(Ok(collected)) => Ok(collected.overview.clone()),
            Ok(Err(_)) | Err(_) => Ok(last.overview.clone()),
        }
    }

    async fn collect(&self, last: Option<&Arc<Collected>>) -> Result<Arc<Collected>, CatalogError> {
        let releases = self.releases().await?;
        let same_releases = last.filter(|last| Arc::ptr_eq(&last.releases, &releases));
        let versions = same_releases.map_or_else(|| self.versions_by_branch(&releases), |last| last.versions.clone());
        let found = join_all(versions.iter().map(|versions| self.newest_targets(versions))).await;
        let targets = settle(found, last)?;
        if let Some(last) = same_releases.filter(|last| are_same(&last.targets, &targets)) {
            return Ok(Arc::clone(last));
        }
        let overview = Arc::new(self.shape(&releases, &versions, &targets));
        let collected = Arc::new(Collected { overview, releases, versions, targets });
        self.inner.last_overview.set(&collected);
        Ok(collected)
    }

    /// In the order of the overview: newest first, branches that are refused with no version.
    fn versions_by_branch(&self, releases: &Versions) -> Arc<[Vec<Version>]> {
        let all = self.versions_with(releases);
        let of = |branch: &BranchEntry| all.iter().filter(|version| version.branch() == branch.name).cloned().collect();
        self.branches().iter().rev().map(of).collect()
    }

    async fn newest_targets(&self, versions: &[Version]) -> BranchTargets {
        let mut failure = None;
        for version in versions {
            let Some(branch) = self.branches().serving(version) else { continue };
            let path = targets_json(&branch.version_path(version));
            match self.targets_in_time(&path).await {
                Ok(copy) if !copy.value.is_empty() => return BranchTargets::Found(copy.value),
                // Nothing is built of it yet.
                Ok(_) => {}
                Err(no_copy) if no_copy.is_missing() => {}
                Err(no_copy) => {
                    failure.get_or_insert_with(|| unavailable(&path, no_copy));
                }
            }
        }
        failure.map_or(BranchTargets::None, BranchTargets::Unavailable)
    }

    /// A list that hangs is as good as a broken one: it must not keep the other branches waiting. One that is held
    /// answers within the patience, so that only one that was never read can take longer.
    async fn targets_in_time(&self, path: &str) -> Result<Copy<Targets>, NoCopy> {
        let patience = self.inner.policy.patience * 2;
        let slow = |_| NoCopy::Failed { error: Arc::new(FetchError::Slow(patience)), was_missing: false };
        time::timeout(patience, self.inner.files.targets.get(path)).await.map_err(slow)?
    }

    fn shape(&self, releases: &Versions, versions: &[Vec<Version>], targets: &[Option<Arc<Targets>>]) -> Overview {
        let recommended = [&releases.upcoming, &releases.stable, &releases.oldstable].into_iter().flatten();
        let served = recommended.filter(|version| self.branches().serving(version).is_some());
        let branches = self.branches().iter().rev().zip(versions).zip(targets);
        Overview {
            latest: latest_versions(served),
            branches: branches
                .map(|((branch, versions), targets)| describe(branch, versions, targets.as_ref()))
                .collect(),
        }
    }
}

impl LastOverview {
    fn get(&self) -> Option<Arc<Collected>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, collected: &Arc<Collected>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(collected));
    }
}

/// A branch whose files are away keeps the targets it had. If no branch has any, clients would take it for the truth that
/// nothing can be built: better no answer than that one.
fn settle(found: Vec<BranchTargets>, last: Option<&Arc<Collected>>) -> Result<Vec<Option<Arc<Targets>>>, CatalogError> {
    let mut failure = None;
    let mut targets = Vec::with_capacity(found.len());
    for (index, found) in found.into_iter().enumerate() {
        targets.push(match found {
            BranchTargets::Found(found) => Some(found),
            BranchTargets::None => None,
            BranchTargets::Unavailable(error) => {
                failure.get_or_insert(error);
                last.and_then(|last| last.targets.get(index)?.clone())
            }
        });
    }
    match failure.filter(|_| targets.iter().all(Option::is_none)) {
        Some(error) => Err(error),
        None => Ok(targets),
    }
}

fn are_same(one: &[Option<Arc<Targets>>], other: &[Option<Arc<Targets>>]) -> bool {
    let are_same = |(one, other): (&Option<Arc<Targets>>, &Option<Arc<Targets>>)| match (one, other) {
        (Some(one), Some(other)) => Arc::ptr_eq(one, other),
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    };
    one.len() == other.len() && one.iter().zip(other).all(are_same)
}

fn describe(branch: &BranchEntry, versions: &[Version], targets: Option<&Arc<Targets>>) -> BranchOverview {
    let BranchEntry { name, path, enabled, snapshot, branch_off_rev } = branch.clone();
    let mut described = BranchOverview::new(name, path, snapshot, branch_off_rev);
    described.enabled = enabled;
    described.versions = versions.to_vec();
    let targets = targets.into_iter().flat_map(|targets| targets.iter());
    described.targets = targets.map(|(target, arch)| (target.clone(), arch.clone())).collect();
    described
}
