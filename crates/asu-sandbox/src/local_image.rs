//! The images that Podman has here: which there are, and removing one for good.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

use podman_api::{
    models::LibpodImageSummary,
    opts::{ImageListFilter, ImageListOpts},
};

use crate::{
    error::SandboxError,
    image::{ImageId, RemovedImage, garbled},
    podman::Podman,
};

const ACTION: &str = "list images";

/// An image on this machine. Podman does not know when one was last used, only whether one is in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalImage {
    /// What it is known by.
    pub id: ImageId,
    /// Its names with their tags; none if another image has taken its name.
    pub names: Vec<String>,
    /// What is written on it.
    pub labels: BTreeMap<String, String>,
    /// Bytes on the disk; what it shares with other images counts for each of them.
    pub size: u64,
    /// When it was made, wherever that was.
    pub created: SystemTime,
    /// How many containers are made of it, running or not.
    pub containers: u64,
}

impl Podman {
    /// The local images that carry a label with this value, or all of them.
    ///
    /// # Errors
    /// Podman does not answer.
    pub async fn images(&self, label: Option<(&str, &str)>) -> Result<Vec<LocalImage>, SandboxError> {
        let filter = label.map(|(key, value)| ImageListFilter::LabelKeyVal(key.to_owned(), value.to_owned()));
        let options = ImageListOpts::builder().filter(filter).build();
        let images = self.call(ACTION, self.api().images().list(&options)).await?;
        images.into_iter().map(LocalImage::read).collect()
    }

    /// Removes an image whatever it is called, unless a container is made of it.
    ///
    /// # Errors
    /// Podman does not answer, or refuses; it does for an image with several names.
    pub async fn remove_image_by_id(&self, image: &ImageId) -> Result<RemovedImage, SandboxError> {
        self.remove_image_at(image.as_str()).await
    }
}

impl LocalImage {
    fn read(summary: LibpodImageSummary) -> Result<Self, SandboxError> {
        let count = |number: Option<i64>| u64::try_from(number.unwrap_or(0)).unwrap_or(0);
        Ok(Self {
            id: summary.id.unwrap_or_default().parse().map_err(|bad| garbled(ACTION, bad))?,
            names: summary.names.unwrap_or_default(),
            labels: summary.labels.unwrap_or_default().into_iter().collect(),
            size: count(summary.size),
            created: SystemTime::UNIX_EPOCH + Duration::from_secs(count(summary.created)),
            containers: count(summary.containers),
        })
    }
}
