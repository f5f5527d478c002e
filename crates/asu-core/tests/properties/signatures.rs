//! What a release is checked by: lists of digests, and usign's keys and signatures.

use proptest::prelude::*;

use crate::{
    inputs::{each_seed, edited_text},
    promises::{sha256_sums, usign},
};

const TEXT: &[&str] = &[
    "\n",
    "\r\n",
    " ",
    "  ",
    " *",
    "/",
    "..",
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    "-imagebuilder-",
    ".Linux-x86_64.tar.xz",
    "untrusted comment:",
    "RWQ",
    "=",
    "\u{a0}",
];

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn each_seed_keeps_the_promises() {
    each_seed("sha256_sums", |seed| sha256_sums::check(&lossy(seed)));
    each_seed("usign", |seed| usign::check(&lossy(seed)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn an_edited_list_names_files_and_their_digests(text in edited_text("sha256_sums", TEXT)) {
        sha256_sums::check(&text);
    }

    #[test]
    fn an_edited_key_is_refused_or_is_what_it_was_read_as(text in edited_text("usign", TEXT)) {
        usign::check(&text);
    }

    #[test]
    fn any_words_are_refused_or_keep_the_promises(words in prop::collection::vec(prop::sample::select(TEXT), 0..30)) {
        let text = words.concat();
        sha256_sums::check(&text);
        usign::check(&text);
    }

    #[test]
    fn any_text_is_refused_or_keeps_the_promises(text in "(?s).{0,200}") {
        sha256_sums::check(&text);
        usign::check(&text);
    }
}
