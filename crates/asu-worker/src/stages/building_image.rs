//! Making the images.

use asu_core::{BuildFailure, BuildLog, BuildRequest, Manifest, ManifestTrouble, Oversize, PackageSelector};

use crate::{
    build::Build,
    commands::Commands,
    full_disk::doubt_full_disk,
    log_tail::LogTail,
    make,
    package_list::packages_hash,
    source_trouble::source_trouble,
    stop::{Stop, Trouble},
};

/// Runs `make image`; the command is told to clients as soon as it is known.
pub(crate) async fn building_image(
    build: &mut Build<'_>,
    commands: Commands<'_>,
    packages: &[PackageSelector],
    manifest: &Manifest,
) -> Result<(), Stop> {
    let hash = packages_hash(manifest.packages().keys().map(String::as_str));
    let command = make::image(build.request, build.request_hash, packages, &hash);
    build.lease.set_build_cmd(command.clone());
    build.journal.build_cmd.clone_from(&command);
    let mut log = LogTail::new(build.workshop.config.worker.log_size());
    let ended = commands.run_aloud(&command, &[], &mut log).await;
    build.journal.log = log.render();
    let code = ended?;
    if code != 0 {
        doubt_full_disk(build, commands, &log).await?;
    }
    judge(build.request, code, &log, build.lease.postponed())
}

/// make leaves out an image that is too big and ends well all the same.
fn judge(request: &BuildRequest, code: i32, log: &LogTail, postponed: u32) -> Result<(), Stop> {
    match code {
        _ if log.says_too_big() => Err(BuildFailure::TooBig(oversize(&log.render()).unwrap_or_default()).into()),
        0 => Ok(()),
        _ if log.says_disk_full() => Err(Trouble::DiskFull.into()),
        _ => Err(judge_failure(request, &log.render(), postponed)),
    }
}

/// What does not fit, if the end of the log says so.
pub(crate) fn oversize(log: &BuildLog) -> Option<Oversize> {
    Oversize::parse(&log.stderr).or_else(|| Oversize::parse(&log.stdout))
}

/// The packages could be installed a moment ago. opkg reads its indexes anew each time, so the network may be gone since.
fn judge_failure(request: &BuildRequest, log: &BuildLog, postponed: u32) -> Stop {
    if let Some(oversize) = oversize(log) {
        return BuildFailure::TooBig(oversize).into();
    }
    let trouble = ManifestTrouble::of(&log.stdout, &log.stderr);
    source_trouble(request, &trouble, postponed).unwrap_or_else(|| BuildFailure::ImageBuilder.into())
}

#[cfg(test)]
mod tests {
    use asu_sandbox::{Output, OutputStream};

    use super::*;
    use crate::fixture::request;

    const TOO_BIG: &str = "WARNING: Image file a.bin is too big: 9 > 8\n";
    const TOO_BIG_BY: &str = "[mktplinkfw] *** error: images are too big by 451765 bytes\n";
    const DISK_FULL: &str = "cp: write error: No space left on device\n";
    const DOWNLOAD: &str = " * opkg_download: Failed to download https://d.org/Packages.gz, wget returned 4.\n\
                            * opkg_install_cmd: Cannot install package vim.\n";

    fn kind(code: i32, stderr: &str, postponed: u32) -> &'static str {
        let mut log = LogTail::new(10_000);
        log.write(OutputStream::Stderr, stderr.as_bytes());
        match judge(&request(), code, &log, postponed) {
            Ok(()) => "built",
            Err(Stop::Failed(failure)) => failure.kind(),
            Err(Stop::Trouble(_)) => "trouble",
        }
    }

    #[test]
    fn an_image_may_be_too_big_although_make_ends_well() {
        for (code, stderr, expected) in [
            (0, "", "built"),
            (0, TOO_BIG, "too_big"),
            (2, &[TOO_BIG, DISK_FULL].concat(), "too_big"),
            (2, "", "image_builder"),
            (2, DISK_FULL, "trouble"),
            (0, DISK_FULL, "built"),
            (2, TOO_BIG_BY, "too_big"),
            (0, TOO_BIG_BY, "built"),
        ] {
            assert_eq!(kind(code, stderr, 0), expected, "{code} {stderr}");
        }
    }

    #[test]
    fn a_network_that_went_away_is_not_the_requests_fault() {
        assert_eq!(kind(2, DOWNLOAD, 0), "trouble");
        assert_eq!(kind(2, DOWNLOAD, u32::MAX), "trouble");
        assert_eq!(kind(0, DOWNLOAD, 0), "built");
    }
}
