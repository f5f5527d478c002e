//! The list of allowed repositories, tried with URLs that nearly are allowed.

use proptest::{prelude::*, sample::select};

use crate::{
    inputs::{each_seed, edited_text},
    promises::repository::check,
};

const PREFIXES: &[&str] = &[
    "https://repo.example.org/openwrt",
    "https://repo.example.org/openwrt/",
    "https://repo.example.org/a/b%20c/",
    "http://repo.example.org:8080",
    "http://[2001:db8::1]:8080/x",
    "http://192.0.2.1/x",
];

const WORDS: &[&str] = &[
    "/",
    "//",
    "/.",
    "/..",
    "/../",
    "/./",
    "%2e",
    "%2E%2e",
    "/.%2e/",
    "%2f",
    "%2F",
    "%5c",
    "%5C",
    "%25",
    "%252e",
    "/.%%32e/",
    "%2%65",
    "%00",
    "%0a",
    "%c0%ae",
    "%",
    ";",
    "..;",
    "..;/",
    "%3b",
    ":",
    ":80",
    ":443",
    ":0443",
    ":8080",
    ":99999",
    "@",
    "user@",
    "user:pass@",
    "@evil.example",
    ".",
    ".evil.example",
    "\\",
    "\t",
    "\n",
    " ",
    "#",
    "?",
    "&",
    "é",
    "ｅ",
    "。",
    "HTTPS",
    "EXAMPLE",
    "xn--",
    "0x",
    "[",
    "]",
    "::",
    "\u{202e}",
    "$",
    "secret",
];

fn nearly_allowed() -> impl Strategy<Value = (String, String)> {
    let edit = (any::<prop::sample::Index>(), 0usize..3, select(WORDS));
    let path = prop::collection::vec(select(WORDS), 0..5).prop_map(|words| words.concat());
    (select(PREFIXES), select(PREFIXES), path, prop::collection::vec(edit, 0..3)).prop_map(
        |(prefix, start, path, edits)| {
            let mut url: Vec<char> = format!("{start}{path}").chars().collect();
            for (place, removed, word) in edits {
                let start = place.index(url.len() + 1);
                let end = (start + removed).min(url.len());
                url.splice(start..end, word.chars());
            }
            (prefix.to_owned(), url.into_iter().collect())
        },
    )
}

/// The fuzz target's form: a prefix, and behind it a URL in a line of its own.
fn check_lines(text: &str) {
    if let Some((prefix, url)) = text.split_once('\n') {
        check(prefix, url);
    }
}

#[test]
fn each_seed_keeps_the_promises() {
    each_seed("repository", |seed| check_lines(std::str::from_utf8(seed).unwrap()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn what_is_allowed_lies_below_the_prefix((prefix, url) in nearly_allowed()) {
        check(&prefix, &url);
    }

    #[test]
    fn a_url_that_nearly_is_its_own_prefix_lies_below_it((_, url) in nearly_allowed(), more in select(WORDS)) {
        check(&url, &format!("{url}{more}"));
    }

    #[test]
    fn what_an_edited_prefix_allows_lies_below_it(text in edited_text("repository", WORDS)) {
        check_lines(&text);
    }
}
