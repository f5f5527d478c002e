//! What holds of every profiles.json of upstream.

use asu_core::{ProfileName, TargetMetadata};
use serde_json::Value;

/// Nothing in the file is lost, and every profile is found under its name and the names of its devices.
pub(crate) fn check(json: &[u8]) {
    let Ok(metadata) = TargetMetadata::parse(json) else { return };
    assert_eq!(metadata.build_at().len(), "2021-01-31T23:48:37.000000Z".len());
    assert!(!metadata.fields().contains_key("profiles"));
    let mut profiles = serde_json::Map::new();
    for (name, profile) in metadata.profiles() {
        profiles.insert(name.to_string(), profile.fields().into());
        if !name.as_str().contains(',') {
            assert_eq!(metadata.resolve_profile(name), Some(name));
        }
        for device in profile.supported_devices.iter().filter_map(|device| ProfileName::parse(device).ok()) {
            let resolved = metadata.resolve_profile(&device).and_then(|name| metadata.profile(name));
            assert!(resolved.is_some(), "{device} of {name}");
        }
    }
    let mut file = metadata.fields().clone();
    file.insert("profiles".to_owned(), profiles.into());
    // Of a field that stands twice the last counts; the first is passed over, with a number that is none in it.
    if let Ok(whole) = serde_json::from_slice::<Value>(json) {
        assert_eq!(whole, Value::Object(file));
    }
    if let Some(directory) = metadata.linux_kernel.and_then(|kernel| kernel.kmods_directory()) {
        assert!(!directory.contains('/') && directory.bytes().all(|b| b.is_ascii_graphic()), "{directory:?}");
    }
}
