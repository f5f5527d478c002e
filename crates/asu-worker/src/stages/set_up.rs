//! The ImageBuilder of a snapshot: one that is kept, or one that is set up now and kept for others.

use std::sync::Arc;

use asu_core::{BuildFailure, BuildLog, VersionCode};
use asu_sandbox::{ImageId, Sandbox, SandboxError};
use asu_service::error_chain;
use tokio::time::Instant;

use crate::{
    build::Build,
    commands::Commands,
    detour::Detour,
    log_tail::LogTail,
    prepared::{Prepared, SetUp, Wish},
    snapshot::Snapshot,
    snapshots::{FailedSetUp, Place, WhyNotSetUp},
    stages::{
        container_setup::{Ready, pull, source, start, start_once},
        validate_revision::{ask, check},
    },
    stop::{Stop, Trouble},
};

/// What `wget` ends with when it reaches nobody, and so the script.
const WGET_NETWORK_FAILURE: i32 = 4;

/// A container with a complete ImageBuilder and nothing of the request in it. An image that vanishes while it is looked
/// at is looked for once more.
pub(crate) async fn snapshot_builder(build: &mut Build<'_>) -> Result<Ready, Stop> {
    let wish = wish(build).await?;
    let (snapshots, log) = (&build.workshop.snapshots, build.lease.log());
    let waiting = || log.line("waiting for another build to set up the same ImageBuilder");
    let mut place = snapshots.enter(&wish.snapshot, waiting).await;
    if let Some(failure) = place.failure_since(wish.since).cloned() {
        replay(build, &failure.log);
        return Err(judge(failure.why, build.lease.postponed()));
    }
    let Some(prepared) = snapshots.look_up(&mut place, &wish).await? else {
        return set_up(build, &wish, &mut place).await;
    };
    drop(place);
    match start_prepared(build, &wish, &prepared).await {
        Err(SandboxError::NoSuchImage { image: _ }) => {
            let mut place = snapshots.enter(&wish.snapshot, || {}).await;
            place.prepared = None;
            match snapshots.look_up(&mut place, &wish).await? {
                Some(prepared) => Ok(start_prepared(build, &wish, &prepared).await??),
                None => set_up(build, &wish, &mut place).await,
            }
        }
        started => started?,
    }
}

async fn wish(build: &Build<'_>) -> Result<Wish, Stop> {
    // Before upstream is asked: a set-up that ends meanwhile is one that this build waited for.
    let since = Instant::now();
    let (request, upstream) = (build.request, &build.workshop.upstream);
    let snapshot = Snapshot {
        distro: request.distro.clone(),
        upstream_url: source(build)?.upstream_url,
        version: request.version.clone(),
        version_path: upstream.version_path(&request.distro, &request.version),
        target: request.target.clone(),
    };
    let present = upstream.present_revision(request).await;
    Ok(Wish { snapshot, requested: request.version_code.clone(), present, since })
}

/// The inner result is the build's, which cannot be had with this ImageBuilder.
async fn start_prepared(
    build: &mut Build<'_>,
    wish: &Wish,
    prepared: &Prepared,
) -> Result<Result<Ready, Stop>, SandboxError> {
    match prepared.log_for(wish) {
        Some(log) => replay(build, log),
        None => build.lease.log().line(&format!("the ImageBuilder of {} is set up already", prepared.revision)),
    }
    if let Err(stop) = check(build, &prepared.revision) {
        return Ok(Err(stop));
    }
    let sandbox = start_once(build, &prepared.image).await?;
    let image = prepared.image.clone();
    Ok(Ok(Ready { sandbox, complete: image.clone(), image, info: None, begun: Instant::now() }))
}

/// What was printed while this build waited is as good as its own.
fn replay(build: &mut Build<'_>, log: &BuildLog) {
    let live = build.lease.log();
    live.line("$ bash setup.sh");
    for text in [&log.stdout, &log.stderr] {
        live.lines().write(text.as_bytes());
    }
    build.journal.log = log.clone();
}

/// The build that sets up goes on in the container in which it did; it needs no image for that.
async fn set_up(build: &mut Build<'_>, wish: &Wish, place: &mut Place) -> Result<Ready, Stop> {
    let image = pull(build).await?;
    let (image, sandbox) = start(build, image).await?;
    let begun = Instant::now();
    let detour = Detour::through(build.workshop.cache.clone());
    let commands = Commands::begin(&sandbox, &build.workshop.config.worker, build.lease.log(), &detour, begun);
    build.workshop.metrics.set_ups.inc();
    let ended = run_script(build, &wish.snapshot, commands).await;
    let log = build.journal.log.clone();
    if let Err(why) = ended {
        place.failure = Some(FailedSetUp { ended: Instant::now(), why: why.clone(), log });
        return Err(judge(why, build.lease.postponed()));
    }
    let info = ask(commands).await.map_err(|stop| stop.before_the_request(build.lease.postponed()))?;
    let kept = keep(build, &wish.snapshot, &info.revision, &sandbox).await;
    let complete = kept.clone().unwrap_or_else(|| image.clone());
    if let Some(image) = kept {
        build.workshop.infos.insert(image.clone(), Arc::clone(&info)).await;
        build.workshop.snapshots.keep_only(&wish.snapshot, &image).await;
        let set_up = SetUp { begun, ended: Instant::now(), present: wish.present.clone(), log };
        place.prepared = Some(Arc::new(Prepared { image, revision: info.revision.clone(), set_up: Some(set_up) }));
    }
    Ok(Ready { sandbox, image, complete, info: Some(info), begun })
}

/// The images of snapshots hold only a script that fetches the rest.
async fn run_script(build: &mut Build<'_>, snapshot: &Snapshot, commands: Commands<'_>) -> Result<(), WhyNotSetUp> {
    let upstream_url = commands.detour().of(&snapshot.upstream_url);
    let variables = [
        ("TARGET", snapshot.target.as_str()),
        ("VERSION_PATH", snapshot.version_path.as_str()),
        ("UPSTREAM_URL", upstream_url.as_str()),
    ];
    let mut log = LogTail::new(build.workshop.config.worker.log_size());
    let ended = commands.run_aloud(&["bash".to_owned(), "setup.sh".to_owned()], &variables, &mut log).await;
    build.journal.log = log.render();
    match ended {
        Ok(0) => Ok(()),
        Ok(code) => Err(WhyNotSetUp::Exit(code)),
        Err(stop) => Err(WhyNotSetUp::Stopped(stop)),
    }
}

/// An image of the container as the script left it. Without one the build goes on; the next one sets up for itself.
async fn keep(build: &Build<'_>, snapshot: &Snapshot, revision: &VersionCode, sandbox: &Sandbox) -> Option<ImageId> {
    // Another worker may have been faster; two images of one name would leave one without any.
    if let Ok(Some(image)) = build.workshop.snapshots.image_of(snapshot, revision).await {
        return Some(image);
    }
    let labels = snapshot.labels(revision);
    let labels: Vec<_> = labels.iter().map(|(key, value)| (*key, value.as_str())).collect();
    match sandbox.commit(&snapshot.image(revision), &labels).await {
        Ok(image) => Some(image),
        Err(error) => {
            build.workshop.metrics.unkept_set_ups.inc();
            tracing::warn!(error = error_chain(&error), "the ImageBuilder that was set up cannot be kept");
            None
        }
    }
}

fn judge(why: WhyNotSetUp, postponed: u32) -> Stop {
    match why {
        WhyNotSetUp::Stopped(stop) => stop.before_the_request(postponed),
        WhyNotSetUp::Exit(code) => judge_exit(code, postponed),
    }
}

/// A request has no part in the script's work, but upstream may never have had what it fetches.
fn judge_exit(code: i32, postponed: u32) -> Stop {
    let trouble = Trouble::SetUp { code };
    match code {
        WGET_NETWORK_FAILURE => trouble.into(),
        _ => Stop::doubtful(postponed, trouble, BuildFailure::Setup { returncode: code.into() }),
    }
}
