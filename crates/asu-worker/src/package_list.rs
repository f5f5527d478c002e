//! The packages of the ImageBuilder's command line.

use std::collections::BTreeSet;

use asu_core::{MakeInfo, PackageName, PackageSelector, ProfileName};
use sha2::{Digest, Sha256};

/// How many digits of the packages' hash are in the names of the images.
const HASH_DIGITS: usize = 12;

/// What goes into `PACKAGES`. With an absolute list (`diff_packages`) it begins with the removal of every default and
/// profile package that the request does not name, sorted; then come the requested packages in the user's order, on
/// which opkg's result depends.
pub(crate) fn packages_to_build(
    requested: &[PackageSelector],
    diff_packages: bool,
    info: &MakeInfo,
    profile: &ProfileName,
) -> Vec<PackageSelector> {
    let mut packages = if diff_packages { unwanted(requested, info, profile) } else { Vec::new() };
    packages.extend(requested.iter().cloned());
    packages
}

fn unwanted(requested: &[PackageSelector], info: &MakeInfo, profile: &ProfileName) -> Vec<PackageSelector> {
    let own = info.profiles.get(profile).map_or(&[][..], |profile| &profile.packages);
    let named: BTreeSet<&PackageName> = requested.iter().map(|package| &package.name).collect();
    // What the defaults themselves leave out is left out by the same word.
    let names: BTreeSet<&PackageName> = info.default_packages.iter().chain(own).map(|package| &package.name).collect();
    names.difference(&named).map(|name| PackageSelector { name: (*name).clone(), remove: true }).collect()
}

/// Tells images with different packages apart by their names: a digest over the names of what is installed.
pub(crate) fn packages_hash<'a>(installed: impl IntoIterator<Item = &'a str>) -> String {
    let names: BTreeSet<&str> = installed.into_iter().collect();
    let text = names.into_iter().collect::<Vec<_>>().join(" ");
    let mut digits = hex::encode(Sha256::digest(text));
    digits.truncate(HASH_DIGITS);
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    const INFO: &str = r#"Current Target: "ath79/generic"
Current Architecture: "mips"
Current Revision: "r1-abc"
Default Packages: dropbear busybox -odd uboot-envtools
Available Profiles:

a:
    A
    Packages: kmod-usb2 -uboot-envtools
"#;

    fn check(requested: &str, diff_packages: bool, expected: &str) {
        let info = MakeInfo::parse(INFO).unwrap();
        let requested: Vec<_> = requested.split(' ').filter_map(|word| PackageSelector::parse(word).ok()).collect();
        let packages = packages_to_build(&requested, diff_packages, &info, &ProfileName::parse("a").unwrap());
        let words: Vec<_> = packages.iter().map(ToString::to_string).collect();
        assert_eq!(words.join(" "), expected);
    }

    #[test]
    fn a_relative_list_is_built_as_it_is() {
        check("vim -dropbear luci", false, "vim -dropbear luci");
    }

    #[test]
    fn an_absolute_list_removes_what_it_does_not_name() {
        check("vim busybox", true, "-dropbear -kmod-usb2 -odd -uboot-envtools vim busybox");
        check("", true, "-busybox -dropbear -kmod-usb2 -odd -uboot-envtools");
    }

    #[test]
    fn what_the_request_removes_is_removed_once_and_in_its_place() {
        check("vim -dropbear kmod-usb2 odd", true, "-busybox -uboot-envtools vim -dropbear kmod-usb2 odd");
    }

    #[test]
    fn an_absolute_list_for_an_unknown_profile_goes_by_the_defaults() {
        let info = MakeInfo::parse(INFO).unwrap();
        let packages = packages_to_build(&[], true, &info, &ProfileName::parse("b").unwrap());
        assert_eq!(packages.len(), 4);
    }

    #[test]
    fn the_hash_is_one_of_the_set_of_packages() {
        assert_eq!(packages_hash(["a", "b"]), packages_hash(["b", "a", "b"]));
        assert_ne!(packages_hash(["a", "b"]), packages_hash(["a"]));
        // printf 'a b' | sha256sum
        assert_eq!(packages_hash(["a", "b"]), "c8687a08aa5d");
    }
}
