//! What holds of every output of a package manager that failed.

use std::collections::BTreeSet;

use asu_core::{ManifestTrouble, PackageName};

/// Only names of packages are reported, sorted, each once and for one reason; a failed download is named in one line.
pub(crate) fn check(stdout: &str, stderr: &str) {
    match ManifestTrouble::of(stdout, stderr) {
        ManifestTrouble::Impossible { missing, conflicts } => {
            let named: BTreeSet<_> = missing.iter().chain(&conflicts).collect();
            assert!(!named.is_empty());
            assert_eq!(named.len(), missing.len() + conflicts.len(), "{missing:?} {conflicts:?}");
            assert!(missing.is_sorted() && conflicts.is_sorted(), "{missing:?} {conflicts:?}");
            for name in named {
                assert!(PackageName::parse(name).is_ok(), "{name:?}");
                assert!(stdout.contains(name.as_str()) || stderr.contains(name.as_str()), "{name:?}");
            }
        }
        ManifestTrouble::Network { what } => {
            assert!(!what.trim().is_empty() && !what.contains('\n'), "{what:?}");
            assert!(stdout.contains(&what) || stderr.contains(&what), "{what:?}");
        }
        ManifestTrouble::Untrusted { repository } => {
            assert!(repository.starts_with("http") && !repository.contains('\n'), "{repository:?}");
            assert!(stdout.contains(&repository) || stderr.contains(&repository), "{repository:?}");
        }
        ManifestTrouble::Unknown => {}
    }
}
