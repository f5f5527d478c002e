//! Inputs: the seeds of the fuzz targets in `fuzz/seeds`, and what some edits make of them.

use std::{fs, path::Path};

use proptest::{
    prelude::*,
    sample::{Index, select},
};

/// The seeds of a fuzz target. An input that once broke a promise is among them.
pub(crate) fn seeds(target: &str) -> Vec<Vec<u8>> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds").join(target);
    let entries = fs::read_dir(&directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let mut seeds: Vec<_> = entries.map(|entry| fs::read(entry.unwrap().path()).unwrap()).collect();
    seeds.sort_unstable();
    assert!(!seeds.is_empty(), "{}", directory.display());
    seeds
}

/// Tries every seed of a fuzz target, as it is.
pub(crate) fn each_seed(target: &str, check: impl Fn(&[u8])) {
    seeds(target).iter().for_each(|seed| check(seed));
}

/// A seed after some edits: bytes are taken out of it, and words of its language or any bytes put in.
pub(crate) fn edited(target: &str, words: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> + use<> {
    let inserted = prop_oneof![
        3 => select(words).prop_map(|word| word.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..6),
        1 => "\\PC{0,3}".prop_map(String::into_bytes),
    ];
    let edit = (any::<Index>(), 0usize..12, inserted);
    (select(seeds(target)), prop::collection::vec(edit, 0..6)).prop_map(|(mut bytes, edits)| {
        for (place, removed, inserted) in edits {
            let start = place.index(bytes.len() + 1);
            let end = (start + removed).min(bytes.len());
            bytes.splice(start..end, inserted);
        }
        bytes
    })
}

/// The same for what is read as a text.
pub(crate) fn edited_text(target: &str, words: &'static [&'static str]) -> impl Strategy<Value = String> + use<> {
    edited(target, words).prop_map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}
