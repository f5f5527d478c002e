//! Removing ImageBuilder images that nobody has used for long, or that are too many. What a build misses is fetched again.

use std::{collections::BTreeSet, time::Duration};

use asu_queue::{Queue, QueueError};
use asu_sandbox::{LocalImage, Podman, RemovedImage, SandboxError};
use asu_service::error_chain;
use tokio::time::sleep;

use crate::workshop::Workshop;

/// Between two looks.
const LOOK: Duration = Duration::from_secs(600);

/// What is written on the images that workers make themselves.
const OWN: &str = "asu.image";

/// Which images may be removed, and how much of them may stay.
#[derive(Debug, Clone)]
struct Pruning {
    /// Repositories of images that are pulled.
    repositories: Vec<String>,
    /// A label of images that are made here.
    label: &'static str,
    /// For how long they stay unused; `None` for ever.
    max_age: Option<Duration>,
    /// Their most bytes; `None` for any number.
    max_size: Option<u64>,
}

/// Why images are not pruned.
#[derive(Debug, thiserror::Error)]
enum PruningError {
    #[error("cannot tell which images there are")]
    Podman(#[from] SandboxError),
    #[error("cannot tell which images were used")]
    Queue(#[from] QueueError),
}

/// Looks again and again as long as nobody drops it.
pub(crate) async fn keep_pruned(workshop: &Workshop) {
    let worker = &workshop.config.worker;
    let pruning = Pruning {
        repositories: worker.base_containers().map(str::to_owned).collect(),
        label: OWN,
        max_age: Some(worker.image_max_age.get()).filter(|age| !age.is_zero()),
        max_size: Some(worker.image_max_disk.get()).filter(|size| *size > 0),
    };
    if pruning.max_age.is_none() && pruning.max_size.is_none() {
        return;
    }
    loop {
        match pruning.prune(&workshop.podman, &workshop.queue).await {
            Ok(removed) => {
                workshop.metrics.images_pruned.inc_by(removed);
            }
            Err(error) => tracing::warn!(error = error_chain(&error), "ImageBuilder images are not pruned"),
        }
        sleep(LOOK).await;
    }
}

impl Pruning {
    /// Removes what is to go; how many that were. Podman itself refuses to remove what has a container.
    async fn prune(&self, podman: &Podman, queue: &Queue) -> Result<u64, PruningError> {
        let used: BTreeSet<String> = queue.used_images().await?.into_iter().collect();
        let mut images = podman.images(None).await?;
        images.retain(|image| self.is_ours(image, &used));
        let ids: Vec<_> = images.iter().map(|image| image.id.as_str()).collect();
        let unused = queue.unused_for(&ids).await?;
        let mut removed = 0;
        for image in self.choose(unused.into_iter().zip(&images).collect()) {
            match self.remove(podman, image).await {
                Ok(RemovedImage::Removed) => {
                    tracing::info!(image = %image.id, names = image.names.join(", "), "removed an ImageBuilder image");
                    removed += 1;
                }
                Ok(RemovedImage::Absent | RemovedImage::InUse) => {}
                Err(error) => {
                    tracing::warn!(image = %image.id, error = error_chain(&error), "cannot remove an ImageBuilder image");
                }
            }
        }
        Ok(removed)
    }

    /// By name, by label, or because a build used it: an image loses its name when there is a newer one.
    fn is_ours(&self, image: &LocalImage, used: &BTreeSet<String>) -> bool {
        image.labels.contains_key(self.label)
            || image.names.iter().any(|name| self.is_our_name(name))
            || (image.names.is_empty() && used.contains(image.id.as_str()))
    }

    fn is_our_name(&self, name: &str) -> bool {
        let of = |repository: &String| name.strip_prefix(repository.as_str()).is_some_and(|tag| tag.starts_with(':'));
        self.repositories.iter().any(of)
    }

    /// Those that were not used for the longest time first.
    fn choose<'a>(&self, mut images: Vec<(Duration, &'a LocalImage)>) -> Vec<&'a LocalImage> {
        images.sort_by(|(a, first), (b, second)| b.cmp(a).then_with(|| first.id.as_str().cmp(second.id.as_str())));
        let mut left: u64 = images.iter().map(|(_, image)| image.size).sum();
        let mut chosen = Vec::new();
        for (unused, image) in images {
            let is_old = self.max_age.is_some_and(|most| unused >= most);
            let is_too_much = self.max_size.is_some_and(|most| left > most);
            if image.containers == 0 && (is_old || is_too_much) {
                left -= image.size;
                chosen.push(image);
            }
        }
        chosen
    }

    /// An image goes with the last of its names; names that others gave it are not ours to take.
    async fn remove(&self, podman: &Podman, image: &LocalImage) -> Result<RemovedImage, SandboxError> {
        let mut removed = match image.names.is_empty() {
            true => podman.remove_image_by_id(&image.id).await?,
            false => RemovedImage::Absent,
        };
        for name in &image.names {
            if !image.labels.contains_key(self.label) && !self.is_our_name(name) {
                continue;
            }
            let Ok(reference) = name.parse() else { continue };
            match podman.remove_image(&reference).await? {
                RemovedImage::Absent => {}
                answer @ (RemovedImage::Removed | RemovedImage::InUse) => removed = answer,
            }
        }
        Ok(removed)
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, time::SystemTime};

    use asu_config::Settings;
    use asu_sandbox::ImageReference;
    use asu_test_support::{RedisServer, Surroundings};

    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn image(number: u8, name: &str, label: &str, size: u64, containers: u64) -> LocalImage {
        LocalImage {
            id: format!("{number:064x}").parse().unwrap(),
            names: (!name.is_empty()).then(|| name.to_owned()).into_iter().collect(),
            labels: BTreeMap::from([(label.to_owned(), String::new())]),
            size,
            created: SystemTime::UNIX_EPOCH,
            containers,
        }
    }

    fn pruning(max_age: Option<Duration>, max_size: Option<u64>) -> Pruning {
        Pruning { repositories: vec!["r.example/i".to_owned()], label: OWN, max_age, max_size }
    }

    #[test]
    fn only_imagebuilders_are_ours() {
        let used = BTreeSet::from([format!("{:064x}", 4)]);
        for (image, ours) in [
            (image(1, "r.example/i:x86-64-v24.10.4", "", 1, 0), true),
            (image(1, "r.example/i2:x86-64-v24.10.4", "", 1, 0), false),
            (image(1, "localhost/s:x", OWN, 1, 0), true),
            (image(1, "", "", 1, 0), false),
            (image(4, "", "", 1, 0), true),
            (image(4, "docker.io/library/redis:7", "", 1, 0), false),
        ] {
            assert_eq!(pruning(None, None).is_ours(&image, &used), ours, "{image:?}");
        }
    }

    #[test]
    fn the_oldest_go_first_and_none_that_is_in_use() {
        let images =
            [image(1, "", "", 10, 0), image(2, "", "", 10, 1), image(3, "", "", 10, 0), image(4, "", "", 10, 0)];
        let unused = [HOUR, 3 * HOUR, 2 * HOUR, Duration::ZERO];
        let check = |pruning: Pruning, expected: &[usize]| {
            let chosen = pruning.choose(unused.into_iter().zip(&images).collect());
            let expected: Vec<_> = expected.iter().map(|index| &images[*index]).collect();
            assert_eq!(chosen, expected);
        };
        check(pruning(None, None), &[]);
        check(pruning(Some(HOUR), None), &[2, 0]);
        check(pruning(Some(4 * HOUR), Some(40)), &[]);
        check(pruning(None, Some(35)), &[2]);
        check(pruning(Some(2 * HOUR), Some(20)), &[2, 0]);
    }

    /// Names and labels of its own, because other tests use the images of this Podman meanwhile.
    #[tokio::test]
    async fn images_go_from_a_real_podman_and_those_in_use_stay() {
        let (around, redis) = (Surroundings::get(), RedisServer::start().await);
        let socket = around.podman_socket.to_str().unwrap();
        let settings = Settings::defaults().with("redis_url", redis.url()).with("podman_socket", socket);
        let podman = Podman::connect(&settings.section().unwrap()).unwrap();
        let queue = Queue::connect(&settings.section().unwrap()).unwrap();
        let base: ImageReference = format!("{}:x86-64-v24.10.4", around.base_container).parse().unwrap();
        let base = podman.pull(&base).await.unwrap();
        let unique = format!("asu-pruning-{:016x}", rand::random::<u64>());
        let repository = format!("localhost/{unique}");
        let start = |image| podman.start(podman.spec(image, &unique, Duration::from_secs(300)));
        let sandbox = start(base).await.unwrap();
        let commit = async |tag: &str| {
            let name = format!("{repository}:{tag}").parse().unwrap();
            sandbox.commit(&name, &[("asu.test.pruning", &unique)]).await.unwrap()
        };
        let (idle, busy) = (commit("idle").await, commit("busy").await);
        let user = start(busy.clone()).await.unwrap();
        queue.note_image_use(busy.as_str()).await.unwrap();
        let pruning =
            Pruning { repositories: vec![repository], label: "no.such.label", max_age: None, max_size: Some(0) };
        let there = async || {
            let found = podman.images(Some(("asu.test.pruning", &unique))).await.unwrap();
            found.into_iter().map(|image| image.id).collect::<Vec<_>>()
        };
        assert_eq!(there().await.len(), 2, "{idle} {busy}");
        assert_eq!(pruning.prune(&podman, &queue).await.unwrap(), 1);
        assert_eq!(there().await, [busy]);
        user.remove().await.unwrap();
        let patient = Pruning { max_age: Some(HOUR), max_size: None, ..pruning.clone() };
        assert_eq!(patient.prune(&podman, &queue).await.unwrap(), 0, "it was used just now");
        assert_eq!(pruning.prune(&podman, &queue).await.unwrap(), 1);
        assert_eq!(there().await, []);
        sandbox.remove().await.unwrap();
    }
}
