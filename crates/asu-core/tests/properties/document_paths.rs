//! The paths of documents.

use proptest::{prelude::*, sample::select};

use crate::{
    inputs::{each_seed, edited_text},
    promises::document_path::check,
};

const WORDS: &[&str] = &[
    "/",
    "//",
    ".",
    "..",
    "/../",
    "/./",
    "%2e",
    "\\",
    "\0",
    "snapshots",
    "releases",
    "SNAPSHOT",
    "targets",
    "packages",
    "index.json",
    "-index.json",
    ".json",
    "...json",
    "..-index.json",
    "-",
    ",",
    "é",
];

#[test]
fn each_seed_keeps_the_promises() {
    each_seed("document_path", |seed| check(std::str::from_utf8(seed).unwrap()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn a_path_that_is_taken_leads_nowhere_else(path in edited_text("document_path", WORDS)) {
        check(&path);
    }

    #[test]
    fn a_document_of_any_names_leads_nowhere_else(
        version in "[0-9.,-]{0,3}", halves in "[a-z.]{0,2}/[a-z.]{0,2}", name in "[a-z.,-]{0,3}",
    ) {
        for directory in [format!("releases/{version}"), "snapshots".to_owned()] {
            check(&format!("{directory}/targets/{halves}/{name}.json"));
            check(&format!("{directory}/packages/{name}-index.json"));
        }
    }

    #[test]
    fn a_path_of_any_parts_leads_nowhere_else(parts in prop::collection::vec(select(WORDS), 0..8)) {
        check(&parts.join("/"));
        check(&parts.concat());
    }
}
