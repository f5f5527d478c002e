//! The ImageBuilder image, a container made of it, and what is put into it.

use std::sync::Arc;

use asu_core::{BuildFailure, BuildLog, BuildRequest, MakeInfo};
use asu_sandbox::{Captured, ImageId, Sandbox, SandboxError, SandboxSpec};
use asu_service::error_chain;
use tokio::time::Instant;

use crate::{
    build::Build,
    commands::{Commands, USER},
    config::ImageBuilderSource,
    image_name::imagebuilder_image,
    injected_files::files_of,
    labels::Labels,
    make::BUILDER,
    repositories::{PackageManager, first_not_allowed},
    stages::validate_revision::check_known_revision,
    stop::{Stop, Trouble},
    wanted_image::WantedImage,
};

/// A running container with a complete ImageBuilder in it, and nothing of the request yet.
#[derive(Debug)]
pub(crate) struct Ready {
    pub(crate) sandbox: Sandbox,
    /// What the container was made of.
    pub(crate) image: ImageId,
    /// What holds a complete ImageBuilder as well; the same, unless it had to be set up.
    pub(crate) complete: ImageId,
    /// What the ImageBuilder says about itself, where the image alone does not tell.
    pub(crate) info: Option<Arc<MakeInfo>>,
    /// When the time of the build began.
    pub(crate) begun: Instant,
}

/// Looks once more whether the custom repositories are allowed: what is in the queue may be older than the list.
pub(crate) fn ensure_allowed(build: &mut Build<'_>) -> Result<(), Stop> {
    let Some(url) = first_not_allowed(build.request, &build.workshop.allow_list) else { return Ok(()) };
    build.journal.log = BuildLog { stdout: String::new(), stderr: format!("Repository not allowed: {url}\n") };
    Err(BuildFailure::RepositoryNotAllowed { repository: url.clone() }.into())
}

/// The ImageBuilder of a release, which its image holds whole.
pub(crate) async fn release_builder(build: &Build<'_>) -> Result<Ready, Stop> {
    let image = pull(build).await?;
    check_known_revision(build, &image).await?;
    let (image, sandbox) = start(build, image).await?;
    Ok(Ready { sandbox, complete: image.clone(), image, info: None, begun: Instant::now() })
}

/// The image of the request's version and target.
pub(crate) async fn pull(build: &Build<'_>) -> Result<ImageId, Stop> {
    build.workshop.images.get(&wanted_image(build)?).await
}

/// What the request needs.
pub(crate) fn wanted_image(build: &Build<'_>) -> Result<WantedImage, Stop> {
    let (base_container, request) = (source(build)?.base_container, build.request);
    let name = imagebuilder_image(&base_container, &request.version, &request.target);
    let path = build.workshop.upstream.version_path(&request.distro, &request.version);
    let (distro, version, target) = (request.distro.clone(), request.version.clone(), request.target.clone());
    Ok(WantedImage { name, distro, version, path, target })
}

/// Where the ImageBuilders of the request's distribution come from.
pub(crate) fn source(build: &Build<'_>) -> Result<ImageBuilderSource, Stop> {
    let distro = &build.request.distro;
    Ok(build.workshop.config.worker.source_of(distro).ok_or_else(|| Trouble::UnknownDistro(distro.clone()))?)
}

/// A running container of the image. An image that was removed since it was pulled is pulled once more.
pub(crate) async fn start(build: &Build<'_>, image: ImageId) -> Result<(ImageId, Sandbox), Stop> {
    match start_once(build, &image).await {
        Err(SandboxError::NoSuchImage { image: _ }) => {
            build.workshop.images.forget(&wanted_image(build)?).await;
            let image = pull(build).await?;
            let sandbox = start_once(build, &image).await?;
            Ok((image, sandbox))
        }
        started => Ok((image, started?)),
    }
}

pub(crate) async fn start_once(build: &Build<'_>, image: &ImageId) -> Result<Sandbox, SandboxError> {
    let spec = describe_container(build, image).await;
    note_use(build, image).await;
    let sandbox = build.workshop.podman.start(spec).await?;
    build.workshop.watch.podman_works();
    Ok(sandbox)
}

/// A container of this attempt: known as such by its labels, and gone with the attempt.
pub(crate) async fn describe_container(build: &Build<'_>, image: &ImageId) -> SandboxSpec {
    let (workshop, labels) = (build.workshop, labels(build).await);
    let spec = workshop.podman.spec(image.clone(), &labels.container_name(), workshop.config.container_lifetime());
    labels.iter().fold(spec, |spec, (key, value)| spec.label(key, value)).user(USER).workdir(BUILDER)
}

/// Before the container is there, so that nobody takes the image for one that is not used. Images live on if it fails.
async fn note_use(build: &Build<'_>, image: &ImageId) {
    if let Err(error) = build.workshop.queue.note_image_use(image.as_str()).await {
        tracing::debug!(%image, error = error_chain(&error), "nobody learns that the image is used");
    }
}

/// While Redis is away the container is of no queue: nobody looks for it then but Podman, at the end of its lifetime.
async fn labels(build: &Build<'_>) -> Labels {
    let queue = build.workshop.queue.id().await.unwrap_or_default();
    Labels::new(queue, build.lease.attempt(), build.workshop.identity.name(), build.request_hash)
}

/// Puts the request's own files into the ImageBuilder.
pub(crate) async fn inject(build: &Build<'_>, sandbox: &Sandbox, commands: Commands<'_>) -> Result<(), Stop> {
    let repositories = repositories(build.request, commands).await?;
    match files_of(build.request, repositories) {
        Some(files) => Ok(sandbox.put(BUILDER, files).await?),
        None => Ok(()),
    }
}

/// The file that names the repositories, if it must be another than the ImageBuilder's own.
async fn repositories(
    request: &BuildRequest,
    commands: Commands<'_>,
) -> Result<Option<(PackageManager, String)>, Stop> {
    if request.repositories.is_empty() && !commands.detour().is_taken() {
        return Ok(None);
    }
    let (manager, present) = present_repositories(commands).await?;
    let text = manager.repositories(&present, request, commands.detour());
    Ok((!text.is_empty()).then_some((manager, text)))
}

/// The file that is there tells which package manager the ImageBuilder has.
async fn present_repositories(commands: Commands<'_>) -> Result<(PackageManager, String), Stop> {
    for manager in [PackageManager::Apk, PackageManager::Opkg] {
        let mut output = Captured::default();
        let command = ["cat".to_owned(), format!("{BUILDER}/{}", manager.repositories_file())];
        if commands.run(&command, &[], &mut output).await? == 0 {
            return Ok((manager, String::from_utf8_lossy(&output.stdout).into_owned()));
        }
    }
    Ok((PackageManager::Opkg, String::new()))
}
