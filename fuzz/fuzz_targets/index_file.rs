//! Fuzzes index.json.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../crates/asu-core/tests/properties/promises/index_file.rs"]
mod index_file;

fuzz_target!(|json: &[u8]| index_file::check(json));
