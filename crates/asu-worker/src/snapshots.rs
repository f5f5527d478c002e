//! The ImageBuilders of snapshots that are kept here: one set-up at a time for each, and old ones go.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use asu_core::{BuildLog, VersionCode};
use asu_sandbox::{ImageId, LocalImage, Podman, RemovedImage, SandboxError};
use asu_service::error_chain;
use moka::future::Cache;
use tokio::{
    sync::{Mutex as WaitingLine, OwnedMutexGuard},
    time::Instant,
};

use crate::{
    prepared::{Prepared, Wish},
    snapshot::{REVISION, SNAPSHOT, Snapshot},
    stop::Stop,
};

/// More snapshots than any server builds with.
const MOST: u64 = 1000;

/// What is known of each snapshot. The lock of a [`Place`] is held during a set-up: builds that want the same wait for
/// it. When the build that holds it goes away, the next one in line has its turn.
#[derive(Debug, Clone)]
pub(crate) struct Snapshots {
    podman: Podman,
    upstream_ttl: Duration,
    places: Cache<Snapshot, Arc<WaitingLine<Place>>>,
    /// Images of old revisions that were in use when they were to go.
    old: Arc<Mutex<BTreeSet<String>>>,
}

/// What came of the latest set-up of a snapshot.
#[derive(Debug, Default)]
pub(crate) struct Place {
    pub(crate) prepared: Option<Arc<Prepared>>,
    pub(crate) failure: Option<FailedSetUp>,
}

/// A set-up that left nothing to keep.
#[derive(Debug, Clone)]
pub(crate) struct FailedSetUp {
    pub(crate) ended: Instant,
    pub(crate) why: WhyNotSetUp,
    /// What the script printed.
    pub(crate) log: BuildLog,
}

/// Each build judges for itself what that means for it.
#[derive(Debug, Clone)]
pub(crate) enum WhyNotSetUp {
    /// The script could not be run to its end.
    Stopped(Stop),
    /// The script ended with this status.
    Exit(i32),
}

impl Snapshots {
    /// Nothing is known yet. `upstream_ttl` is how long upstream's word is believed.
    pub(crate) fn new(podman: Podman, upstream_ttl: Duration) -> Self {
        Self { podman, upstream_ttl, places: Cache::new(MOST), old: Arc::default() }
    }

    /// The place of a snapshot, alone: whoever else wants it waits. `waiting` is called if this one has to.
    pub(crate) async fn enter(&self, snapshot: &Snapshot, waiting: impl FnOnce()) -> OwnedMutexGuard<Place> {
        let place = self.places.get_with_by_ref(snapshot, async { Arc::default() }).await;
        match Arc::clone(&place).try_lock_owned() {
            Ok(place) => place,
            Err(_) => {
                waiting();
                place.lock_owned().await
            }
        }
    }

    /// The ImageBuilder that a build can have without a set-up: the one that this worker knows, or one that another
    /// worker on this Podman has made, or this one before it was started again.
    pub(crate) async fn look_up(&self, place: &mut Place, wish: &Wish) -> Result<Option<Arc<Prepared>>, SandboxError> {
        let suits = |prepared: &Prepared| prepared.suits(wish, self.upstream_ttl);
        if let Some(known) = place.prepared.as_ref().filter(|known| suits(known)) {
            return Ok(Some(Arc::clone(known)));
        }
        place.prepared = self.find(wish).await?.filter(suits).map(Arc::new);
        Ok(place.prepared.clone())
    }

    /// The image of a revision, if there is one.
    pub(crate) async fn image_of(
        &self,
        snapshot: &Snapshot,
        revision: &VersionCode,
    ) -> Result<Option<ImageId>, SandboxError> {
        self.podman.image(&snapshot.image(revision)).await
    }

    async fn find(&self, wish: &Wish) -> Result<Option<Prepared>, SandboxError> {
        let requested = (!wish.takes_any()).then_some(&wish.requested);
        for revision in requested.into_iter().chain(&wish.present) {
            if let Some(image) = self.image_of(&wish.snapshot, revision).await? {
                return Ok(Some(Prepared { image, revision: revision.clone(), set_up: None }));
            }
        }
        if wish.present.is_some() {
            return Ok(None);
        }
        // Nobody says what is present: the latest is the best guess.
        let images = self.podman.images(Some((SNAPSHOT, &wish.snapshot.id()))).await?;
        Ok(images.into_iter().max_by_key(|image| image.created).and_then(read))
    }

    /// Removes the other images of a snapshot; those that are in use later.
    pub(crate) async fn keep_only(&self, snapshot: &Snapshot, image: &ImageId) {
        match self.podman.images(Some((SNAPSHOT, &snapshot.id()))).await {
            Ok(images) => {
                let others = images.into_iter().filter(|other| other.id != *image);
                self.old().extend(others.map(|other| other.id.to_string()));
                self.remove_old().await;
            }
            Err(error) => tracing::warn!(error = error_chain(&error), "cannot look for old ImageBuilders"),
        }
    }

    /// Tries again to remove images that were in use.
    pub(crate) async fn remove_old(&self) {
        let old: Vec<ImageId> = self.old().iter().filter_map(|id| id.parse().ok()).collect();
        for image in old {
            match self.podman.remove_image_by_id(&image).await {
                Ok(RemovedImage::InUse) => continue,
                Ok(RemovedImage::Removed) => tracing::info!(%image, "removed an old ImageBuilder"),
                Ok(RemovedImage::Absent) => {}
                Err(error) => tracing::warn!(%image, error = error_chain(&error), "cannot remove an old ImageBuilder"),
            }
            self.old().remove(image.as_str());
        }
    }

    fn old(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.old.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// The set-up that a build waited for, if it failed.
    pub(crate) fn failure_since(&self, since: Instant) -> Option<&FailedSetUp> {
        self.failure.as_ref().filter(|failure| failure.ended >= since)
    }
}

fn read(image: LocalImage) -> Option<Prepared> {
    let revision = VersionCode::parse(image.labels.get(REVISION)?).ok()?;
    Some(Prepared { image: image.id, revision, set_up: None })
}
