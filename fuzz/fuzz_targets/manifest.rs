//! Fuzzes the output of `make manifest`.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../crates/asu-core/tests/properties/promises/manifest.rs"]
mod manifest;

fuzz_target!(|text: &str| manifest::check(text));
