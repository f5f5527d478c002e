//! Fuzzes Packages.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../crates/asu-core/tests/properties/promises/packages_text.rs"]
mod packages_text;

fuzz_target!(|text: &str| packages_text::check(text));
