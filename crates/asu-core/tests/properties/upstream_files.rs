//! The files of upstream: profiles.json, index.json, Packages and feeds.conf.

use proptest::prelude::*;

use crate::{
    inputs::{each_seed, edited, edited_text},
    promises::{feeds, index_file, packages_text, target_metadata},
};

const JSON: &[&str] = &[
    "null",
    "true",
    "1e999",
    "-1",
    "9223372036854775808",
    "[",
    "]",
    "{",
    "}",
    ",",
    "\"",
    ":",
    "\\u0000",
    "\\u0061",
    "\\ud800",
    "\"a\":1,",
    "\"version\":",
    "\"packages\":",
    "\"profiles\":",
    "\"supported_devices\":[\"a,b\"],",
    "{\"a\":",
    "[[[[",
    "\u{feff}",
];

const TEXT: &[&str] = &[
    "\n",
    "\n\n",
    "\r\n",
    "\t",
    " ",
    ":",
    "Package: ",
    "Version: ",
    "ABIVersion: ",
    "Architecture: all",
    "20230523",
    "#",
    "..",
    ".",
    "a/b",
    "src-git ",
    "\u{a0}",
    "\u{85}",
];

#[test]
fn each_seed_keeps_the_promises() {
    each_seed("target_metadata", target_metadata::check);
    each_seed("index_file", index_file::check);
    each_seed("packages_text", |seed| packages_text::check(std::str::from_utf8(seed).unwrap()));
    each_seed("feeds", |seed| feeds::check(std::str::from_utf8(seed).unwrap()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn an_edited_profiles_json_is_refused_or_nothing_of_it_is_lost(json in edited("target_metadata", JSON)) {
        target_metadata::check(&json);
    }

    #[test]
    fn an_edited_index_json_is_refused_or_nothing_of_it_is_lost(json in edited("index_file", JSON)) {
        index_file::check(&json);
    }

    #[test]
    fn an_edited_packages_text_has_packages_with_names(text in edited_text("packages_text", TEXT)) {
        packages_text::check(&text);
    }

    #[test]
    fn an_edited_feeds_conf_names_directories(text in edited_text("feeds", TEXT)) {
        feeds::check(&text);
    }

    #[test]
    fn any_text_is_refused_or_keeps_the_promises(text in "(?s).{0,200}") {
        target_metadata::check(text.as_bytes());
        index_file::check(text.as_bytes());
        packages_text::check(&text);
        feeds::check(&text);
    }
}
