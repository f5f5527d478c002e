//! Fuzzes the paths of documents.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../crates/asu-core/tests/properties/promises/document_path.rs"]
mod document_path;

fuzz_target!(|path: &str| document_path::check(path));
