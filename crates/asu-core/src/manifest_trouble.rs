//! Why packages could not be installed: the request's own fault, or that of the network and of upstream.

use crate::package_errors::PackageErrors;

/// Why `make manifest` failed, and what of it may appear in `make image` as well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ManifestTrouble {
    /// The request's own fault: no image can hold these packages. Names are sorted.
    Impossible {
        /// Packages that do not exist or cannot be installed.
        missing: Vec<String>,
        /// Packages that exclude each other.
        conflicts: Vec<String>,
    },
    /// The network's fault, or upstream's: another try may succeed.
    Network {
        /// What could not be downloaded, or came damaged.
        what: String,
    },
    /// The list of a repository has no signature that is trusted here: nobody gave its key, or it is being published.
    Untrusted {
        /// The repository, as the package manager names it.
        repository: String,
    },
    /// Nothing was printed that is known here.
    Unknown,
}

impl ManifestTrouble {
    /// Judges the output of a failed command. Without a list of packages even good ones look missing, so that a failed
    /// download or signature decides before any package does.
    pub fn of(stdout: &str, stderr: &str) -> Self {
        let mut errors = PackageErrors::parse(stderr);
        errors.add(PackageErrors::parse(stdout));
        let PackageErrors { missing, conflicts, failed_download, untrusted } = errors;
        match (failed_download, untrusted) {
            (Some(what), Some(repository)) if what != signature_of(&repository) => Self::Network { what },
            (Some(_) | None, Some(repository)) => Self::Untrusted { repository },
            (Some(what), None) => Self::Network { what },
            (None, None) if missing.is_empty() && conflicts.is_empty() => Self::Unknown,
            (None, None) => {
                Self::Impossible { missing: missing.into_iter().collect(), conflicts: conflicts.into_iter().collect() }
            }
        }
    }
}

/// opkg tells twice of a signature that is not there.
fn signature_of(repository: &str) -> String {
    format!("{repository}/Packages.sig")
}

#[cfg(test)]
mod tests {
    use super::*;

    const MISSING: &str = " * opkg_install_cmd: Cannot install package vim.\n";
    const DOWNLOAD: &str = " * opkg_download: Failed to download http://a.example/Packages.gz, wget returned 8.\n";
    const BAD_SIGNATURE: &str =
        "Downloading http://b.example/Packages.sig\nSignature check failed.\nRemove wrong Signature file.\n";
    const NO_SIGNATURE: &str = "Downloading http://b.example/Packages.sig\nSignature file download failed.\n\
                                * opkg_download: Failed to download http://b.example/Packages.sig, wget returned 8.\n";

    #[test]
    fn a_failed_download_decides_before_any_package_does() {
        let impossible = ManifestTrouble::Impossible { missing: vec!["vim".to_owned()], conflicts: Vec::new() };
        let network = ManifestTrouble::Network { what: "http://a.example/Packages.gz".to_owned() };
        assert_eq!(ManifestTrouble::of("", MISSING), impossible);
        assert_eq!(ManifestTrouble::of(MISSING, ""), impossible);
        assert_eq!(ManifestTrouble::of(DOWNLOAD, MISSING), network);
        assert_eq!(ManifestTrouble::of("", &format!("{MISSING}{DOWNLOAD}")), network);
        assert_eq!(ManifestTrouble::of(BAD_SIGNATURE, DOWNLOAD), network);
        let unknown = ManifestTrouble::of("building", "make: *** [Makefile:1: manifest] Error 2");
        assert_eq!(unknown, ManifestTrouble::Unknown);
    }

    #[test]
    fn a_signature_that_is_not_trusted_decides_before_any_package_does() {
        let untrusted = ManifestTrouble::Untrusted { repository: "http://b.example".to_owned() };
        for signature in [BAD_SIGNATURE, NO_SIGNATURE] {
            assert_eq!(ManifestTrouble::of("", &format!("{signature}{MISSING}")), untrusted, "{signature}");
            assert_eq!(ManifestTrouble::of(signature, MISSING), untrusted, "{signature}");
        }
    }
}
