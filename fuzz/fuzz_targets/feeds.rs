//! Fuzzes feeds.conf.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../crates/asu-core/tests/properties/promises/feeds.rs"]
mod feeds;

fuzz_target!(|text: &str| feeds::check(text));
