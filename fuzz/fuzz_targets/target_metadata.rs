//! Fuzzes profiles.json as upstream publishes it.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../crates/asu-core/tests/properties/promises/target_metadata.rs"]
mod target_metadata;

fuzz_target!(|json: &[u8]| target_metadata::check(json));
