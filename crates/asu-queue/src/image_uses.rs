//! When ImageBuilder images were used. Podman does not know, and what a worker knows is gone when it ends.

use std::time::Duration;

use crate::{Queue, QueueError, scripts};

impl Queue {
    /// Notes that the image of this id is used now, on whatever machine.
    ///
    /// # Errors
    /// Redis is away or refuses.
    pub async fn note_image_use(&self, id: &str) -> Result<(), QueueError> {
        let keys = self.shared.keys.of_images();
        self.ask("note the use of an image", &scripts::USE_IMAGE, keys, &[id]).await.map(drop)
    }

    /// The ids of the images that were used, or asked about, within a year.
    ///
    /// # Errors
    /// Redis is away or refuses.
    pub async fn used_images(&self) -> Result<Vec<String>, QueueError> {
        let mut command = redis::cmd("ZRANGE");
        command.arg(self.shared.keys.images()).arg(0).arg(-1);
        self.shared.connection.command("list the used images", &command).await
    }

    /// For how long each of the images of these ids has not been used, on any machine. Of an image that nobody has heard
    /// of before, the time begins now.
    ///
    /// # Errors
    /// Redis is away or refuses.
    pub async fn unused_for(&self, ids: &[&str]) -> Result<Vec<Duration>, QueueError> {
        let keys = self.shared.keys.of_images();
        let args: Vec<_> = [""].into_iter().chain(ids.iter().copied()).collect();
        let mut reply = self.ask("ask for the use of images", &scripts::USE_IMAGE, keys, &args).await?;
        ids.iter().map(|_| reply.number().map(Duration::from_millis)).collect()
    }
}
