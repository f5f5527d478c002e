//! Fuzzes the output of package managers that failed, as it comes on either stream.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../crates/asu-core/tests/properties/promises/package_errors.rs"]
mod package_errors;

fuzz_target!(|text: &str| {
    package_errors::check(text, "");
    package_errors::check("", text);
});
