//! ImageBuilder images: fetched once for all builds that want them, and pinned by what they hold.

use std::time::Duration;

use asu_core::BuildFailure;
use asu_sandbox::{ImageId, ImageReference, Podman, PullError};
use asu_service::error_chain;
use moka::future::Cache;

use crate::{
    metrics::Metrics,
    stop::{Stop, Trouble},
};

/// More images than any server builds with in one interval.
const MOST: u64 = 10_000;

/// The images that were asked for lately. Builds that want one that is being fetched wait for the same pull.
#[derive(Debug, Clone)]
pub(crate) struct Images {
    podman: Podman,
    metrics: Metrics,
    pinned: Cache<String, ImageId>,
}

impl Images {
    /// Asks the registry again after `interval`.
    pub(crate) fn new(podman: Podman, metrics: Metrics, interval: Duration) -> Self {
        Self { podman, metrics, pinned: Cache::builder().max_capacity(MOST).time_to_live(interval).build() }
    }

    /// The image of this name, fetched if it is not here.
    pub(crate) async fn get(&self, name: &str) -> Result<ImageId, Stop> {
        self.pinned.try_get_with_by_ref(name, self.fetch(name)).await.map_err(|stop| Stop::clone(&stop))
    }

    /// Somebody removed the image behind our back.
    pub(crate) async fn forget(&self, name: &str) {
        self.pinned.invalidate(name).await;
    }

    async fn fetch(&self, name: &str) -> Result<ImageId, Stop> {
        let not_found = || Stop::Failed(BuildFailure::ImageNotFound { image: name.to_owned() });
        let Ok(reference) = name.parse::<ImageReference>() else { return Err(not_found()) };
        match self.podman.pull(&reference).await {
            Ok(image) => {
                self.metrics.pulls.inc();
                Ok(image)
            }
            Err(PullError::NotFound { .. }) => Err(not_found()),
            Err(error) => {
                self.metrics.pull_failures.inc();
                self.local(&reference, error).await
            }
        }
    }

    /// An image that is here is better than none: images of releases do not change.
    async fn local(&self, reference: &ImageReference, error: PullError) -> Result<ImageId, Stop> {
        match self.podman.image(reference).await {
            Ok(Some(image)) => {
                tracing::warn!(image = %reference, error = error_chain(&error), "building with the image that is here");
                Ok(image)
            }
            Ok(None) | Err(_) => Err(Trouble::Pull(error).into()),
        }
    }
}
