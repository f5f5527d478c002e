//! Fuzzes the list of allowed repositories: a prefix, and behind it a URL in a line of its own.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../crates/asu-core/tests/properties/promises/repository.rs"]
mod repository;

fuzz_target!(|lines: &str| {
    if let Some((prefix, url)) = lines.split_once('\n') {
        repository::check(prefix, url);
    }
});
