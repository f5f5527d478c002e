//! The object that makes a build visible, and says what belongs to it.

use serde::Serialize;

/// Its name: no file can be asked for that begins with a dot.
pub(crate) const MARKER: &str = ".asu-published.json";

/// What is in a build.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Marker {
    /// The files, by name.
    pub(crate) files: Vec<Uploaded>,
}

/// A file that lies in the bucket as it should.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Uploaded {
    /// Its path within the build.
    pub(crate) name: String,
    /// Its length in bytes.
    pub(crate) size: u64,
    /// Its SHA-256, in hexadecimal digits.
    pub(crate) sha256: String,
}

impl Marker {
    /// The text of the object.
    pub(crate) fn render(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("names, numbers and digests can be written as JSON")
    }
}
