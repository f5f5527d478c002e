//! What holds of every profiles.json that comes out of an ImageBuilder.

use asu_core::{BuiltProfiles, ProfileName};
use serde_json::Value;

/// An image that is taken is a file of its directory and has a digest; what was built is told as it was written.
pub(crate) fn check(json: &[u8]) {
    let Ok(built) = BuiltProfiles::parse(json) else { return };
    let file: Value = serde_json::from_slice(json).unwrap();
    assert_eq!(built.build_at().len(), "2021-01-31T23:48:37.000000Z".len());
    for (name, own) in file["profiles"].as_object().unwrap() {
        let Ok(name) = ProfileName::parse(name) else { continue };
        let metadata = built.metadata(&name).unwrap();
        for (field, value) in own.as_object().unwrap() {
            assert_eq!(&metadata[field], value);
        }
        for (index, image) in built.images(&name).into_iter().flatten().enumerate() {
            assert!(own["images"][index].is_object(), "{own}");
            assert!(!matches!(&*image.name, "" | "." | "..") && image.name.len() <= 255, "{image:?}");
            assert!(!image.name.contains(|c: char| c == '/' || c == '\\' || c.is_control()), "{image:?}");
            let is_digit = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
            assert!(image.sha256.len() == 64 && image.sha256.bytes().all(is_digit), "{image:?}");
        }
    }
}
