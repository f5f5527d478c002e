//! What opkg and apk print when packages cannot be installed, and what make prints when an image is too big.

use std::collections::BTreeSet;

use crate::{
    apk_selection::{ApkSelection, without_version},
    names::PackageName,
};

/// What the output of a failed `make manifest` says about packages and downloads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PackageErrors {
    /// Packages that do not exist or cannot be installed; never one that conflicts.
    pub missing: BTreeSet<String>,
    /// Packages that exclude each other.
    pub conflicts: BTreeSet<String>,
    /// The first thing that could not be downloaded: a URL where one was printed, else the line.
    pub failed_download: Option<String>,
}

/// Why `make manifest` failed.
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
        /// What could not be downloaded.
        what: String,
    },
    /// Nothing was printed that is known here.
    Unknown,
}

impl ManifestTrouble {
    /// Judges the output of a failed `make manifest`. Without an index even good packages look missing, so that a
    /// failed download decides before any package does.
    pub fn of(stdout: &str, stderr: &str) -> Self {
        let mut errors = PackageErrors::parse(stderr);
        errors.add(PackageErrors::parse(stdout));
        let PackageErrors { missing, conflicts, failed_download } = errors;
        match failed_download {
            Some(what) => Self::Network { what },
            None if missing.is_empty() && conflicts.is_empty() => Self::Unknown,
            None => {
                Self::Impossible { missing: missing.into_iter().collect(), conflicts: conflicts.into_iter().collect() }
            }
        }
    }
}

/// True if make said that an image exceeds the device's storage, which it may do with exit status 0.
pub fn is_too_big(output: &str) -> bool {
    ["is too big", "out of space?"].iter().any(|text| output.contains(text))
}

impl PackageErrors {
    /// Reads the texts of either package manager; anything else is passed over.
    pub fn parse(text: &str) -> Self {
        let mut errors = Self::default();
        let mut selection = ApkSelection::default();
        for line in text.lines() {
            let known = errors.parse_opkg(line) || errors.parse_apk(line);
            if !known {
                selection.parse_line(line, &mut errors);
            }
        }
        selection.end_of_package(&mut errors);
        errors.forget_conflicting_as_missing();
        errors
    }

    fn add(&mut self, other: Self) {
        self.missing.extend(other.missing);
        self.conflicts.extend(other.conflicts);
        self.failed_download = self.failed_download.take().or(other.failed_download);
        self.forget_conflicting_as_missing();
    }

    /// A package that conflicts is reported a second time as one that cannot be installed.
    fn forget_conflicting_as_missing(&mut self) {
        self.missing.retain(|name| !self.conflicts.contains(name));
    }

    fn parse_opkg(&mut self, line: &str) -> bool {
        if let Some((_, name)) = line.split_once("opkg_install_cmd: Cannot install package ") {
            insert(&mut self.missing, name.trim_end().trim_end_matches('.'));
        } else if let Some((_, names)) = line.split_once("check_conflicts_for:") {
            let names = names.trim().trim_start_matches("The following packages conflict with ").trim_end_matches(':');
            names.split_whitespace().for_each(|name| insert(&mut self.conflicts, name));
        } else if let Some((_, clash)) = line.split_once("check_data_file_clashes: Package ") {
            insert(&mut self.conflicts, first_word(clash));
        } else if let Some((_, owner)) = line.split_once("But that file is already provided by package") {
            insert(&mut self.conflicts, first_word(owner.trim_start_matches([' ', '*'])));
        } else if let Some((_, what)) = line.split_once("opkg_download: Failed to download ") {
            let url = first_word(what).trim_end_matches(',');
            self.note_download(if url.is_empty() { line.trim() } else { url });
        } else {
            return false;
        }
        true
    }

    fn parse_apk(&mut self, line: &str) -> bool {
        let line = line.trim();
        if let Some((package, rest)) = line.split_once(": trying to overwrite ") {
            let owner = rest.rsplit_once(" owned by ").map_or("", |(_, owner)| owner.trim_end_matches('.'));
            insert(&mut self.conflicts, without_version(package.trim_start_matches("ERROR: ")));
            insert(&mut self.conflicts, without_version(owner));
        } else if is_failed_download(line) {
            let url = line.split_whitespace().find(|word| is_url(word)).map(|url| url.trim_end_matches(':'));
            self.note_download(url.unwrap_or(line.trim_start_matches("ERROR: ")));
        } else {
            return false;
        }
        true
    }

    fn note_download(&mut self, what: &str) {
        self.failed_download.get_or_insert_with(|| what.to_owned());
    }
}

/// An index that names a file which is not there is upstream in the middle of publishing. A repository whose signature
/// is not trusted can be reached all right.
fn is_failed_download(line: &str) -> bool {
    line.contains(": temporary error")
        || line.contains(": package mentioned in index not found")
        || (line.starts_with("WARNING: ") && line.contains("opening http") && !line.contains("signature"))
}

fn is_url(word: &str) -> bool {
    word.starts_with("http://") || word.starts_with("https://")
}

/// Only what can be the name of a package goes into an answer.
pub(crate) fn insert(names: &mut BTreeSet<String>, name: &str) {
    if PackageName::parse(name).is_ok() {
        names.insert(name.to_owned());
    }
}

fn first_word(text: &str) -> &str {
    text.split_whitespace().next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(stderr: &str, missing: &[&str], conflicts: &[&str], failed_download: Option<&str>) {
        let errors = PackageErrors::parse(stderr);
        let names = |set: &BTreeSet<String>| set.iter().cloned().collect::<Vec<_>>();
        assert_eq!(names(&errors.missing), missing, "missing of {stderr}");
        assert_eq!(names(&errors.conflicts), conflicts, "conflicts of {stderr}");
        assert_eq!(errors.failed_download.as_deref(), failed_download, "download of {stderr}");
    }

    #[test]
    fn opkg_names_missing_packages() {
        check("Collected errors:\n * opkg_install_cmd: Cannot install package vim2.\n", &["vim2"], &[], None);
        check(
            " * opkg_install_cmd: Cannot install package lua5.3.\n * opkg_install_cmd: Cannot install package b+.\n",
            &["b+", "lua5.3"],
            &[],
            None,
        );
    }

    #[test]
    fn opkg_names_conflicts_which_are_not_missing_too() {
        let text = "Collected errors:
 * check_conflicts_for: The following packages conflict with wget-ssl:
 * check_conflicts_for:         wget-nossl *
 * opkg_install_cmd: Cannot install package wget-ssl.
 * opkg_install_cmd: Cannot install package vim2.
";
        check(text, &["vim2"], &["wget-nossl", "wget-ssl"], None);
    }

    #[test]
    fn opkg_names_packages_that_bring_the_same_file() {
        let text = "Collected errors:
 * check_data_file_clashes: Package dnsmasq-full wants to install file /builder/build_dir/root/etc/hotplug.d/ntp
\tBut that file is already provided by package  * dnsmasq
 * opkg_install_cmd: Cannot install package dnsmasq-full.
";
        check(text, &[], &["dnsmasq", "dnsmasq-full"], None);
    }

    #[test]
    fn opkg_names_what_it_could_not_download() {
        let text = "Collected errors:
 * opkg_download: Failed to download http://a.example/base/Packages.gz, wget returned 8.
 * opkg_download: Failed to download http://a.example/luci/Packages.gz, wget returned 4.
 * opkg_install_cmd: Cannot install package vim.
";
        check(text, &["vim"], &[], Some("http://a.example/base/Packages.gz"));
    }

    #[test]
    fn apk_names_missing_packages() {
        let text = "ERROR: unable to select packages:
  libpython3-3.99 (no such package):
    required by: vim2-9.0-r1[libpython3-3.99]
  vim2 (no such package):
    required by: world[vim2]
make: *** [Makefile:230: package_install] Error 2
  foo (no such package):
";
        check(text, &["libpython3-3.99", "vim2"], &[], None);
    }

    #[test]
    fn apk_names_conflicts() {
        let text = "ERROR: unable to select packages:
  nftables-json-1.1.6-r1:
    conflicts: nftables-nojson-1.1.6-r1[nftables=1.1.6-r1]
    satisfies: world[nftables-json]
  wget-nossl-1.25.0-r1:
    conflicts: wget-ssl-1.25.0-r1[wget-any=1.25.0-r1]
               ntfs-3g-2022.10.3-r1[wget]
    satisfies: world[wget]
               firewall4-2025.03.17~b6e51575-r1[wget]
  fine-1.0-r1:
    satisfies: world[fine]
";
        let conflicts = ["nftables-json", "nftables-nojson", "ntfs-3g", "wget", "wget-nossl", "wget-ssl"];
        check(text, &[], &conflicts, None);
    }

    #[test]
    fn apk_names_packages_without_versions_as_they_are() {
        let text = "ERROR: unable to select packages:\n  A:\n    conflicts: B[nftables=1.1.6-r1]\n    satisfies: world[nftables-json]\n  ERROR: C: trying to overwrite some/file owned by D.\n";
        check(text, &[], &["A", "B", "C", "D", "nftables-json"], None);
    }

    #[test]
    fn apk_names_packages_that_bring_the_same_file() {
        let text =
            "ERROR: dnsmasq-full-2.91-r2: trying to overwrite usr/sbin/dnsmasq owned by dnsmasq-2.91-r2.\n1 error\n";
        check(text, &[], &["dnsmasq", "dnsmasq-full"], None);
    }

    #[test]
    fn apk_names_what_it_could_not_download() {
        for (text, what) in [
            (
                "WARNING: opening https://a.example/packages.adb: temporary error (try again later)\n",
                "https://a.example/packages.adb",
            ),
            (
                "WARNING: updating and opening https://a.example/x.adb: network error (check Internet connection)\n",
                "https://a.example/x.adb",
            ),
            (
                "ERROR: vim-9.1-r1: package mentioned in index not found (try 'apk update')\n",
                "vim-9.1-r1: package mentioned in index not found (try 'apk update')",
            ),
        ] {
            check(text, &[], &[], Some(what));
        }
        check("WARNING: opening https://a.example/packages.adb: UNTRUSTED signature\n", &[], &[], None);
    }

    #[test]
    fn a_failed_download_decides_before_any_package_does() {
        let missing = " * opkg_install_cmd: Cannot install package vim.\n";
        let download = " * opkg_download: Failed to download http://a.example/Packages.gz, wget returned 8.\n";
        let impossible = ManifestTrouble::Impossible { missing: vec!["vim".to_owned()], conflicts: Vec::new() };
        let network = ManifestTrouble::Network { what: "http://a.example/Packages.gz".to_owned() };
        assert_eq!(ManifestTrouble::of("", missing), impossible);
        assert_eq!(ManifestTrouble::of(missing, ""), impossible);
        assert_eq!(ManifestTrouble::of(download, missing), network);
        assert_eq!(ManifestTrouble::of("", &format!("{missing}{download}")), network);
        assert_eq!(
            ManifestTrouble::of("building", "make: *** [Makefile:1: manifest] Error 2"),
            ManifestTrouble::Unknown
        );
    }

    #[test]
    fn names_with_impossible_characters_are_left_out() {
        check(" * opkg_install_cmd: Cannot install package <b>x</b>.\n", &[], &[], None);
    }

    #[test]
    fn an_image_that_is_too_big_is_told_by_either_text() {
        assert!(is_too_big("WARNING: Image file squashfs-sysupgrade.bin is too big: 9 > 8"));
        assert!(is_too_big("mkfs: could not write: out of space?\n"));
        assert!(!is_too_big("a big image"));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(
            words in prop::collection::vec(prop_oneof![
                Just("ERROR: unable to select packages:\n".to_owned()),
                Just("  A (no such package):\n".to_owned()),
                Just("    conflicts: ".to_owned()),
                Just(" * check_conflicts_for: ".to_owned()),
                Just(": trying to overwrite ".to_owned()),
                Just(" owned by ".to_owned()),
                Just("world[".to_owned()),
                Just("WARNING: opening http".to_owned()),
                Just("-1.2-r".to_owned()),
                "\\PC{0,8}",
                Just("\n".to_owned()),
            ], 0..40),
        ) {
            let text = words.concat();
            let _ = ManifestTrouble::of(&text, &text);
        }
    }
}
