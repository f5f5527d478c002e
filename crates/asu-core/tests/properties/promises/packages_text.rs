//! What holds of every Packages text.

use asu_core::PackageIndex;

/// A text that is not empty holds packages with names, or is refused; every name stands in it.
pub(crate) fn check(text: &str) {
    match PackageIndex::parse_packages(text) {
        Ok(index) => {
            assert!(!index.packages.is_empty() || text.trim().is_empty());
            for (name, version) in &index.packages {
                assert!(!name.is_empty(), "a package of version {version:?} has no name");
                assert!(!name.contains('\n') && !version.contains('\n'), "{name:?} {version:?}");
                assert!(text.contains(name) && text.contains(version), "{name:?} {version:?}");
            }
            assert_ne!(index.architecture, "all");
        }
        Err(_) => assert!(!text.trim().is_empty()),
    }
}
