//! ImageBuilder images: fetched once for all builds that want them, and pinned by what they hold.

use std::{sync::Arc, time::Duration};

use asu_core::BuildFailure;
use asu_sandbox::{ImageDigest, ImageId, ImageReference, Podman, PullError};
use asu_service::error_chain;
use moka::future::Cache;

use crate::{
    metrics::Metrics,
    self_made::SelfMade,
    stop::{Stop, Trouble},
    wanted_image::WantedImage,
};

/// More images than any server builds with in one interval.
const MOST: u64 = 10_000;

/// The images that were asked for lately. Builds that want one that is being fetched wait for the same pull.
#[derive(Debug, Clone)]
pub(crate) struct Images {
    podman: Podman,
    metrics: Metrics,
    self_made: Arc<SelfMade>,
    pinned: Cache<WantedImage, ImageId>,
    digests: Cache<(String, ImageId), ImageDigest>,
}

impl Images {
    /// Asks the registry again after `interval`.
    pub(crate) fn new(podman: Podman, metrics: Metrics, self_made: SelfMade, interval: Duration) -> Self {
        let pinned = Cache::builder().max_capacity(MOST).time_to_live(interval).build();
        let digests = Cache::builder().max_capacity(MOST).time_to_live(interval).build();
        Self { podman, metrics, self_made: Arc::new(self_made), pinned, digests }
    }

    /// The image, fetched if it is not here, or made if it is nowhere.
    pub(crate) async fn get(&self, wanted: &WantedImage) -> Result<ImageId, Stop> {
        // On the heap: making one has a large state, and few builds need it.
        let fetch = Box::pin(self.fetch(wanted));
        self.pinned.try_get_with_by_ref(wanted, fetch).await.map_err(|stop| Stop::clone(&stop))
    }

    /// By which digest others know an image that was asked for by this name.
    pub(crate) async fn digest(&self, name: &str, image: &ImageId) -> Result<ImageDigest, Stop> {
        let Ok(reference) = name.parse::<ImageReference>() else { return Ok(ImageDigest::Local(image.clone())) };
        let ask = async { self.podman.image_digest(image, &reference).await.map_err(Stop::from) };
        let key = (name.to_owned(), image.clone());
        self.digests.try_get_with(key, ask).await.map_err(|stop| Stop::clone(&stop))
    }

    /// Somebody removed the image behind our back.
    pub(crate) async fn forget(&self, wanted: &WantedImage) {
        self.pinned.invalidate(wanted).await;
    }

    async fn fetch(&self, wanted: &WantedImage) -> Result<ImageId, Stop> {
        let Ok(reference) = wanted.name.parse::<ImageReference>() else { return Err(not_found(wanted)) };
        match self.podman.pull(&reference).await {
            Ok(image) => {
                self.metrics.pulls.inc();
                Ok(image)
            }
            Err(PullError::NotFound { .. }) => self.make(wanted).await,
            Err(error) => {
                self.metrics.pull_failures.inc();
                self.local(&reference, wanted, error).await
            }
        }
    }

    /// The registry has none, for it gets a release's images some hours after upstream has its files.
    async fn make(&self, wanted: &WantedImage) -> Result<ImageId, Stop> {
        if let Some(image) = self.self_made.find(wanted).await? {
            return Ok(image);
        }
        let image = self.self_made.make(wanted).await?.ok_or_else(|| not_found(wanted))?;
        self.metrics.made.inc();
        Ok(image)
    }

    /// An image that is here is better than none: images of releases do not change.
    async fn local(&self, reference: &ImageReference, wanted: &WantedImage, error: PullError) -> Result<ImageId, Stop> {
        let here = match self.podman.image(reference).await {
            Ok(None) => self.self_made.find(wanted).await,
            looked_up => looked_up,
        };
        match here {
            Ok(Some(image)) => {
                tracing::warn!(image = %reference, error = error_chain(&error), "building with the image that is here");
                Ok(image)
            }
            Ok(None) | Err(_) => Err(Trouble::Pull(error).into()),
        }
    }
}

fn not_found(wanted: &WantedImage) -> Stop {
    BuildFailure::ImageNotFound { image: wanted.name.clone() }.into()
}
