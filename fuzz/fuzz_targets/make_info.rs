//! Fuzzes the output of `make info`.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../crates/asu-core/tests/properties/promises/make_info.rs"]
mod make_info;

fuzz_target!(|text: &str| make_info::check(text));
