//! What comes out of ImageBuilders: the output of make and of the package managers, and profiles.json.

use proptest::prelude::*;

use crate::{
    inputs::{each_seed, edited, edited_text},
    promises::{built_profiles, make_info, manifest, package_errors},
};

const TEXT: &[&str] = &[
    "\n",
    "\r\n",
    "\t",
    " ",
    "    ",
    ":",
    "-",
    " - ",
    "\"",
    "..",
    "Packages:",
    "hasImageMetadata: 1",
    "SupportedDevices:",
    "Available Profiles:",
    "Current Target:",
    "ERROR: ",
    "ERROR: unable to select packages:",
    " (no such package):",
    "conflicts: ",
    "satisfies: ",
    "world[",
    "]",
    "-1.2-r1",
    ": trying to overwrite ",
    " owned by ",
    "opkg_download: Failed to download ",
    "opkg_install_cmd: Cannot install package ",
    "check_conflicts_for:",
    "WARNING: opening http",
    "http://",
    ":",
    ": temporary error",
    ": package mentioned in index not found",
    ": UNTRUSTED signature",
    "Downloading ",
    "/Packages.sig",
    "Signature check failed.",
    "cannot find dependency ",
    "\u{a0}",
    "\u{85}",
    "\u{1b}[1m",
    "+",
    "++",
];

const JSON: &[&str] = &[
    "null",
    "true",
    "1e999",
    "9223372036854775808",
    "[",
    "]",
    "{",
    "}",
    ",",
    "\"",
    ":",
    "\\u0000",
    "\\u002f",
    "\\ud800",
    "..",
    ".",
    "/",
    "\\\\",
    "\"images\":[],",
    "\"images\":[[\"a\",\"b\"]],",
    "\"profiles\":",
    "\"generic\":",
];

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn each_seed_keeps_the_promises() {
    each_seed("built_profiles", built_profiles::check);
    each_seed("make_info", |seed| make_info::check(&lossy(seed)));
    each_seed("manifest", |seed| manifest::check(&lossy(seed)));
    each_seed("package_errors", |seed| {
        package_errors::check(&lossy(seed), "");
        package_errors::check("", &lossy(seed));
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn an_edited_profiles_json_has_images_that_are_files(json in edited("built_profiles", JSON)) {
        built_profiles::check(&json);
    }

    #[test]
    fn an_edited_make_info_is_refused_or_read_as_it_was_written(text in edited_text("make_info", TEXT)) {
        make_info::check(&text);
    }

    #[test]
    fn an_edited_manifest_holds_packages_only(text in edited_text("manifest", TEXT)) {
        manifest::check(&text);
    }

    #[test]
    fn edited_errors_name_packages_or_a_download(
        stdout in edited_text("package_errors", TEXT), stderr in edited_text("package_errors", TEXT),
    ) {
        package_errors::check(&stdout, &stderr);
    }

    #[test]
    fn words_of_errors_in_any_order_name_packages_or_a_download(
        words in prop::collection::vec(prop::sample::select(TEXT), 0..40),
    ) {
        let text = words.concat();
        package_errors::check(&text, "");
        package_errors::check("", &text);
        manifest::check(&text);
    }

    #[test]
    fn any_text_is_refused_or_keeps_the_promises(text in "(?s).{0,200}") {
        built_profiles::check(text.as_bytes());
        make_info::check(&text);
        manifest::check(&text);
        package_errors::check(&text, &text);
    }
}
