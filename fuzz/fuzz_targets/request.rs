//! Fuzzes build requests.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../crates/asu-core/tests/properties/promises/request.rs"]
mod request;

fuzz_target!(|body: &[u8]| request::check(body));
