//! `asu admin disk`

use asu_retention::{AgeGroup, DiskReport, disk_report};
use asu_sandbox::{LocalImage, Podman};
use asu_service::error_chain;
use asu_store::Space;
use indicatif::BinaryBytes;
use serde_json::{Value, json};

use crate::{
    admin::{error::AdminError, scene::Scene},
    exit::Exit,
};

/// What is stored by age, the ImageBuilder images if Podman can be asked, and the room.
pub(super) async fn disk(scene: &Scene) -> Result<Exit, AdminError> {
    let store = scene.store().await?;
    let report = disk_report(&scene.queue, &store, &scene.config.worker.retention).await?;
    let images = imagebuilders(scene).await;
    let document = json!({
        "ages": report.ages.iter().map(age_document).collect::<Vec<_>>(),
        "size": report.size,
        "store_max_size": report.max_size,
        "free": report.space.map(|space| space.free),
        "total": report.space.map(|space| space.total),
        "images": images.as_ref().ok().map(|(count, size)| json!({"count": count, "size": size})),
    });
    scene.tell(&document, &lines(&report, &images));
    Ok(Exit::Done)
}

fn age_document(group: &AgeGroup) -> Value {
    json!({"age": group.age, "builds": group.builds, "size": group.size})
}

fn lines(report: &DiskReport, images: &Result<(usize, u64), String>) -> Vec<String> {
    let mut lines: Vec<_> = report.ages.iter().map(age_line).collect();
    let most = report.max_size.map_or("no limit".to_owned(), |most| format!("at most {}", BinaryBytes(most)));
    lines.push(format!("{:<12}         {:>10}, {most}", "together", BinaryBytes(report.size).to_string()));
    if let Some(Space { free, total }) = report.space {
        lines.push(format!("free: {} of {}", BinaryBytes(free), BinaryBytes(total)));
    }
    lines.push(match images {
        Ok((count, size)) => format!("ImageBuilder images: {count}, {}", BinaryBytes(*size)),
        Err(error) => format!("ImageBuilder images: Podman cannot be asked: {error}"),
    });
    lines
}

fn age_line(group: &AgeGroup) -> String {
    format!("{:<12}  {:>5}  {:>10}", group.age, group.builds, BinaryBytes(group.size).to_string())
}

/// How many there are and their bytes. Whoever looks at the store need not have a Podman.
async fn imagebuilders(scene: &Scene) -> Result<(usize, u64), String> {
    let config = &scene.config.worker;
    let podman = Podman::connect(&config.sandbox).map_err(|error| error_chain(&error))?;
    let images = podman.images(None).await.map_err(|error| error_chain(&error))?;
    let bases: Vec<_> = config.worker.base_containers().collect();
    let sizes: Vec<_> = images.iter().filter(|image| is_imagebuilder(image, &bases)).map(|image| image.size).collect();
    Ok((sizes.len(), sizes.iter().sum()))
}

fn is_imagebuilder(image: &LocalImage, bases: &[&str]) -> bool {
    let of = |name: &String| bases.iter().any(|base| name.strip_prefix(base).is_some_and(|tag| tag.starts_with(':')));
    image.labels.contains_key("asu.image") || image.names.iter().any(of)
}
