//! Fuzzes profiles.json as an ImageBuilder writes it.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../crates/asu-core/tests/properties/promises/built_profiles.rs"]
mod built_profiles;

fuzz_target!(|json: &[u8]| built_profiles::check(json));
