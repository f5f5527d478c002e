//! Whether the packages can be installed, and in which versions.

use asu_core::{BuildFailure, BuildRequest, Manifest, ManifestTrouble, PackageSelector};
use asu_sandbox::Captured;

use crate::{
    build::Build,
    commands::Commands,
    log_tail::LogTail,
    make,
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
        let stderr = String::from_utf8_lossy(&output.stderr);
        return Err(judge(build.request, &stdout, &stderr, log.says_disk_full(), build.lease.postponed()));
    }
    let manifest = Manifest::parse(&stdout);
    match manifest.missing_or_other(&build.request.packages_versions) {
        Some(failure) => Err(failure.into()),
        None => Ok(manifest),
    }
}

/// Our own disk comes first: without room nothing can be installed. A repository that the request brought may be away
/// for good, or it is our network that is.
fn judge(request: &BuildRequest, stdout: &str, stderr: &str, disk_full: bool, postponed: u32) -> Stop {
    if disk_full {
        return Trouble::DiskFull.into();
    }
    match ManifestTrouble::of(stdout, stderr) {
        ManifestTrouble::Impossible { missing, conflicts } => {
            BuildFailure::ImpossiblePackages { missing, conflicts }.into()
        }
        ManifestTrouble::Network { what } if may_be_custom(request, &what) => {
            Stop::doubtful(postponed, Trouble::Download { what }, BuildFailure::ImageBuilder)
        }
        ManifestTrouble::Network { what } => Trouble::Download { what }.into(),
        ManifestTrouble::Unknown => BuildFailure::ImageBuilder.into(),
    }
}

/// Of some things that cannot be downloaded the package manager does not say where they should be.
fn may_be_custom(request: &BuildRequest, what: &str) -> bool {
    request.repositories.values().any(|custom| {
        let below = what.strip_prefix(custom.as_str().trim_end_matches('/'));
        !what.contains("://") || below.is_some_and(|path| path.is_empty() || path.starts_with('/'))
    })
}

#[cfg(test)]
mod tests {
    use asu_core::{RepositoryName, RepositoryUrl};

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

    #[test]
    fn a_repository_of_the_requests_own_fails_it_if_it_stays_away() {
        const GONE: &str = "ERROR: vim-9.1-r1: package mentioned in index not found (try 'apk update')\n";
        for (custom, stderr, last) in [
            ("https://d.org/x/", DOWNLOAD, Some("image_builder")),
            ("https://d.org/x/Packages.gz", DOWNLOAD, Some("image_builder")),
            ("https://my.org/", GONE, Some("image_builder")),
            ("https://my.org/", DOWNLOAD, None),
            ("https://d.org/x/Pack", DOWNLOAD, None),
        ] {
            let mut request = request();
            let url = RepositoryUrl::parse(custom).unwrap();
            request.repositories.insert(RepositoryName::parse("mine").unwrap(), url);
            assert_eq!(failure(judge(&request, "", stderr, false, 0)), None, "{custom}");
            assert_eq!(failure(judge(&request, "", stderr, false, u32::MAX)), last, "{custom}");
        }
    }
}
