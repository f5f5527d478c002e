//! What holds of every index.json.

use asu_core::IndexFile;
use serde_json::{Map, Value};

/// Only an object is read, and all its packages are.
pub(crate) fn check(json: &[u8]) {
    let Ok(file) = IndexFile::parse(json) else { return };
    // A field that nobody reads may hold what serde_json has no type for, `1e999`.
    let Ok(value) = serde_json::from_slice::<Value>(json) else { return };
    assert!(value.is_object(), "{value}");
    let (index, is_current) = match file {
        IndexFile::Current(index) => (index, true),
        IndexFile::Old(index) => (index, false),
    };
    assert_eq!(is_current, value.get("version").is_some_and(|version| !version.is_null()), "{value}");
    let packages: Map<_, _> =
        index.packages.iter().map(|(name, version)| (name.clone(), version.clone().into())).collect();
    assert_eq!(value["packages"], Value::Object(packages));
}
