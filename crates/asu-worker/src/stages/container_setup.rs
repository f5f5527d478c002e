//! The ImageBuilder image, a container made of it, and what is put into it.

use asu_core::{BuildFailure, BuildLog};
use asu_sandbox::{Captured, ImageId, Sandbox, SandboxError};

use crate::{
    build::Build,
    commands::{Commands, USER},
    config::ImageBuilderSource,
    image_name::{imagebuilder_image, version_path},
    injected_files::files_of,
    labels::Labels,
    log_tail::LogTail,
    make::BUILDER,
    repositories::{PackageManager, first_not_allowed},
    stop::{Stop, Trouble},
};

/// What `wget` ends with when it reaches nobody, and so the script.
const WGET_NETWORK_FAILURE: i32 = 4;

/// Looks once more whether the custom repositories are allowed: what is in the queue may be older than the list.
pub(crate) fn ensure_allowed(build: &mut Build<'_>) -> Result<(), Stop> {
    let Some(url) = first_not_allowed(build.request, &build.workshop.allow_list) else { return Ok(()) };
    build.journal.log = BuildLog { stdout: String::new(), stderr: format!("Repository not allowed: {url}\n") };
    Err(BuildFailure::ImageBuilder.into())
}

/// The image of the request's version and target.
pub(crate) async fn pull(build: &Build<'_>) -> Result<ImageId, Stop> {
    build.workshop.images.get(&name_of_image(build)?).await
}

fn name_of_image(build: &Build<'_>) -> Result<String, Stop> {
    let base_container = source(build)?.base_container;
    Ok(imagebuilder_image(&base_container, &build.request.version, &build.request.target))
}

fn source(build: &Build<'_>) -> Result<ImageBuilderSource, Stop> {
    let distro = &build.request.distro;
    Ok(build.workshop.config.worker.source_of(distro).ok_or_else(|| Trouble::UnknownDistro(distro.clone()))?)
}

/// A running container of the image. An image that was removed since it was pulled is pulled once more.
pub(crate) async fn start(build: &Build<'_>, image: ImageId) -> Result<(ImageId, Sandbox), Stop> {
    match start_once(build, &image).await {
        Err(SandboxError::NoSuchImage { image: _ }) => {
            build.workshop.images.forget(&name_of_image(build)?).await;
            let image = pull(build).await?;
            let sandbox = start_once(build, &image).await?;
            Ok((image, sandbox))
        }
        started => Ok((image, started?)),
    }
}

async fn start_once(build: &Build<'_>, image: &ImageId) -> Result<Sandbox, SandboxError> {
    let workshop = build.workshop;
    let labels = labels(build).await;
    let spec = workshop.podman.spec(image.clone(), &labels.container_name(), workshop.config.container_lifetime());
    let spec = labels.iter().fold(spec, |spec, (key, value)| spec.label(key, value)).user(USER).workdir(BUILDER);
    let sandbox = workshop.podman.start(spec).await?;
    workshop.watch.podman_works();
    Ok(sandbox)
}

/// While Redis is away the container is of no queue: nobody looks for it then but Podman, at the end of its lifetime.
async fn labels(build: &Build<'_>) -> Labels {
    let queue = build.workshop.queue.id().await.unwrap_or_default();
    Labels::new(queue, build.lease.attempt(), build.workshop.identity.name(), build.request_hash)
}

/// Makes the ImageBuilder complete, and puts the request's own files into it.
pub(crate) async fn prepare(build: &mut Build<'_>, sandbox: &Sandbox, commands: Commands<'_>) -> Result<(), Stop> {
    if build.request.version.is_snapshot() {
        set_up(build, commands).await?;
    }
    let repositories = match build.request.repositories.is_empty() {
        true => None,
        false => Some(present_repositories(commands).await?),
    };
    let repositories = repositories.as_ref().map(|(manager, text)| (*manager, text.as_str()));
    match files_of(build.request, repositories) {
        Some(files) => Ok(sandbox.put(BUILDER, files).await?),
        None => Ok(()),
    }
}

/// The images of snapshots hold only a script that fetches the rest.
async fn set_up(build: &mut Build<'_>, commands: Commands<'_>) -> Result<(), Stop> {
    let (path, upstream_url) = (version_path(&build.request.version), source(build)?.upstream_url);
    let variables = [
        ("TARGET", build.request.target.as_str()),
        ("VERSION_PATH", path.as_str()),
        ("UPSTREAM_URL", upstream_url.as_str()),
    ];
    let mut log = LogTail::new(build.workshop.config.worker.log_size());
    let ended = commands.run_aloud(&["bash".to_owned(), "setup.sh".to_owned()], &variables, &mut log).await;
    build.journal.log = log.render();
    let postponed = build.lease.postponed();
    match ended.map_err(|stop| stop.before_the_request(postponed))? {
        0 => Ok(()),
        code => Err(judge_set_up(code, postponed)),
    }
}

/// A request has no part in the script's work, but upstream may never have had what it fetches.
fn judge_set_up(code: i32, postponed: u32) -> Stop {
    let trouble = Trouble::SetUp { code };
    match code {
        WGET_NETWORK_FAILURE => trouble.into(),
        _ => Stop::doubtful(postponed, trouble, BuildFailure::Setup { returncode: code.into() }),
    }
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
