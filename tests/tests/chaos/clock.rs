//! A clock that jumps, for one process alone.

use std::{fs, path::Path};

/// Where Debian puts the library that lies about the time.
const LIBRARIES: [&str; 2] =
    ["/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1", "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1"];

/// What the process must have in its environment, as settings. Only the time of day is a lie, as when an operator sets it:
/// the clock by which durations are measured goes on.
pub(crate) fn settings(file: &Path) -> Option<Vec<(String, String)>> {
    let library = LIBRARIES.into_iter().find(|library| Path::new(library).exists())?;
    set(file, 0);
    let file = file.to_str()?;
    let settings = [
        ("ld_preload", library),
        ("faketime_timestamp_file", file),
        ("faketime_cache_duration", "1"),
        ("faketime_dont_fake_monotonic", "1"),
        ("no_fake_stat", "1"),
    ];
    Some(settings.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect())
}

/// So many seconds from the truth.
pub(crate) fn set(file: &Path, seconds: i64) {
    fs::write(file, format!("{seconds:+}\n")).unwrap();
}
