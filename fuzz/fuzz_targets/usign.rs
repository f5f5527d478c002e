//! Fuzzes keys and signatures of usign.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../crates/asu-core/tests/properties/promises/usign.rs"]
mod usign;

fuzz_target!(|text: &str| usign::check(text));
