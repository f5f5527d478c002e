//! What holds of every output of `make manifest`.

use std::collections::BTreeMap;

use asu_core::{BuildFailure, Manifest, PackageName, PackageVersion};

/// Only packages are read, the same from either package manager, and what is installed can be pinned.
pub(crate) fn check(text: &str) {
    let manifest = Manifest::parse(text);
    let mut pinned = BTreeMap::new();
    let mut opkg = String::new();
    for (name, version) in manifest.packages() {
        assert!(!version.is_empty() && version.bytes().all(|b| b.is_ascii_graphic()), "{name} {version:?}");
        let name = PackageName::parse(name).unwrap();
        opkg += &format!("{name} - {version}\n");
        if let Ok(version) = PackageVersion::parse(version) {
            pinned.insert(name, version);
        }
    }
    assert_eq!(Manifest::parse(&opkg), manifest);
    assert_eq!(manifest.missing_or_other(&pinned), None);
    for version in pinned.values_mut() {
        *version = PackageVersion::parse(&format!("{version}x")).unwrap();
    }
    let failure = manifest.missing_or_other(&pinned);
    assert_eq!(matches!(failure, Some(BuildFailure::OtherVersion { .. })), !pinned.is_empty(), "{failure:?}");
}
