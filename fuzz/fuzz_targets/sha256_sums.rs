//! Fuzzes a list of digests.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../crates/asu-core/tests/properties/promises/sha256_sums.rs"]
mod sha256_sums;

fuzz_target!(|text: &str| sha256_sums::check(text));
