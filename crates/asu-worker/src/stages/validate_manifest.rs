//! Whether the packages can be installed, and in which versions.

use asu_core::{BuildFailure, BuildRequest, Manifest, ManifestTrouble, PackageSelector};
use asu_sandbox::Captured;

use crate::{
    build::Build,
    commands::Commands,
    full_disk::doubt_full_disk,
    log_tail::LogTail,
    make,
    source_trouble::source_trouble,
    stop::{Stop, Trouble},
};

/// Resolves and installs the packages once; the pinned ones must come out as they were asked for.
pub(crate) async fn validate_manifest(
    build: &mut Build<'_>,
    commands: Commands<'_>,
    packages: &[PackageSelector],
) -> Result<Manifest, Stop> {
    let mut output = Captured::default();
    let command = make::manifest(&build.request.profile, packages);
    let ended = commands.run_aloud(&command, &[], &mut output).await;
    let log = LogTail::of(&output, build.workshop.config.worker.log_size());
    build.journal.log = log.render();
    let code = ended?;
    let stdout = String::from_utf8_lossy(&output.stdout);
    if code != 0 {
        doubt_full_disk(build, commands, &log).await?;
        let stderr = String::from_utf8_lossy(&output.stderr);
        return Err(judge(build.request, &stdout, &stderr, log.says_disk_full(), build.lease.postponed()));
    }
    let manifest = Manifest::parse(&stdout);
    match manifest.missing_or_other(&build.request.packages_versions) {
        Some(failure) => Err(failure.into()),
        None => Ok(manifest),
    }
}

/// Our own disk comes first: without room nothing can be installed.
fn judge(request: &BuildRequest, stdout: &str, stderr: &str, disk_full: bool, postponed: u32) -> Stop {
    if disk_full {
        return Trouble::DiskFull.into();
    }
    let trouble = ManifestTrouble::of(stdout, stderr);
    source_trouble(request, &trouble, postponed).unwrap_or_else(|| match trouble {
        ManifestTrouble::Impossible { missing, conflicts } => {
            BuildFailure::ImpossiblePackages { missing, conflicts }.into()
        }
        ManifestTrouble::Network { .. } | ManifestTrouble::Untrusted { .. } | ManifestTrouble::Unknown => {
            BuildFailure::ImageBuilder.into()
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::request;

    const DOWNLOAD: &str = " * opkg_download: Failed to download https://d.org/x/Packages.gz, wget returned 4.\n\
                            * opkg_install_cmd: Cannot install package vim.";

    fn failure(stop: Stop) -> Option<&'static str> {
        match stop {
            Stop::Failed(failure) => Some(failure.kind()),
            Stop::Trouble(_) => None,
        }
    }

    #[test]
    fn only_what_names_packages_is_an_impossible_selection() {
        let missing = " * opkg_install_cmd: Cannot install package nope.";
        assert_eq!(failure(judge(&request(), "", missing, false, 0)), Some("impossible_packages"));
        assert_eq!(failure(judge(&request(), "", "make: *** [Makefile:1] Error 1", false, 0)), Some("image_builder"));
    }

    #[test]
    fn the_network_and_the_disk_are_not_the_requests_fault() {
        let missing = " * opkg_install_cmd: Cannot install package vim.";
        assert_eq!(failure(judge(&request(), "", DOWNLOAD, false, u32::MAX)), None);
        assert_eq!(failure(judge(&request(), "", missing, true, u32::MAX)), None);
    }
}
