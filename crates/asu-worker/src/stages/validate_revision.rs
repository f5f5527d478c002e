//! What the ImageBuilder says about itself, and whether it is the one that the request insists on.

use std::sync::Arc;

use asu_core::{BuildFailure, MakeInfo, VersionCode};
use asu_sandbox::{Captured, ImageId};

use crate::{
    build::Build,
    commands::Commands,
    log_tail::LogTail,
    make,
    stages::container_setup::Ready,
    stop::{Stop, Trouble},
};

/// So much of what a broken ImageBuilder says goes into our log.
const SHOWN: usize = 2048;

/// An ImageBuilder that is known already need not be started to tell that it is the wrong one.
pub(crate) async fn check_known_revision(build: &Build<'_>, image: &ImageId) -> Result<(), Stop> {
    match build.workshop.infos.get(image).await {
        Some(info) => check(build, &info.revision),
        None => Ok(()),
    }
}

/// Asks the ImageBuilder, or remembers what it said, and compares the revision with the requested one.
pub(crate) async fn validate_revision(
    build: &Build<'_>,
    ready: &Ready,
    commands: Commands<'_>,
) -> Result<Arc<MakeInfo>, Stop> {
    // Builds that wait for the same answer share it, but not the limit that the asking one ran into.
    let asked = match &ready.info {
        Some(info) => Ok(Arc::clone(info)),
        None => build.workshop.infos.try_get_with_by_ref(&ready.image, ask(commands)).await,
    };
    let info = asked.map_err(|stop: Arc<Stop>| Stop::clone(&stop).before_the_request(build.lease.postponed()))?;
    check(build, &info.revision)?;
    Ok(info)
}

/// Compares a revision with the requested one.
pub(crate) fn check(build: &Build<'_>, revision: &VersionCode) -> Result<(), Stop> {
    let requested = &build.request.version_code;
    if requested.as_str().is_empty() || requested == revision {
        return Ok(());
    }
    Err(BuildFailure::IncorrectVersion { built: revision.clone(), requested: requested.clone() }.into())
}

/// `make info`.
pub(crate) async fn ask(commands: Commands<'_>) -> Result<Arc<MakeInfo>, Stop> {
    let mut output = Captured::default();
    let code = commands.run(&make::info(), &[], &mut output).await?;
    if code != 0 {
        let stderr = LogTail::of(&output, SHOWN).render().stderr;
        return Err(Trouble::MakeInfo { code, stderr }.into());
    }
    let info = MakeInfo::parse(&String::from_utf8_lossy(&output.stdout)).map_err(Trouble::UnknownInfo)?;
    Ok(Arc::new(info))
}
