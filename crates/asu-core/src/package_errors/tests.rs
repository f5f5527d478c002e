//! What both package managers were seen to print.

use proptest::prelude::*;

use super::*;
use crate::manifest_trouble::ManifestTrouble;

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
fn opkg_names_dependencies_that_do_not_exist() {
    let text = "Collected errors:
 * pkg_hash_check_unresolved: cannot find dependency libubox20230523 for mtd
 * pkg_hash_check_unresolved: cannot find dependency kernel (= 6.6.93~abc-r1) for kmod-wireguard
 * pkg_hash_fetch_best_installation_candidate: Packages for mtd found, but incompatible with the architectures configured
 * opkg_install_cmd: Cannot install package mtd.
";
    check(text, &["kernel", "libubox20230523", "mtd"], &[], None);
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
    let text = "ERROR: dnsmasq-full-2.91-r2: trying to overwrite usr/sbin/dnsmasq owned by dnsmasq-2.91-r2.\n1 error\n";
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
    let untrusted = "WARNING: opening https://a.example/packages.adb: UNTRUSTED signature\n";
    check(untrusted, &[], &[], None);
    assert_eq!(PackageErrors::parse(untrusted).untrusted.as_deref(), Some("https://a.example"));
}

#[test]
fn names_with_impossible_characters_are_left_out() {
    check(" * opkg_install_cmd: Cannot install package <b>x</b>.\n", &[], &[], None);
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
