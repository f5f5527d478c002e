//! Which ImageBuilder image makes the firmware of a version and a target.

use asu_core::{Target, Version};

/// The suffix of a branch's own snapshots, `24.10-SNAPSHOT`.
const SNAPSHOT_SUFFIX: &str = "-SNAPSHOT";

/// `{base}:ath79-generic-v24.10.4`. Whether there is such an image is the registry's to say.
pub(crate) fn imagebuilder_image(base_container: &str, version: &Version, target: &Target) -> String {
    format!("{base_container}:{}-{}", target.dashed(), tag_of(version))
}

fn tag_of(version: &Version) -> String {
    match version.as_str() {
        "SNAPSHOT" => "master".to_owned(),
        text => match text.strip_suffix(SNAPSHOT_SUFFIX) {
            Some(branch) => format!("openwrt-{branch}"),
            None => format!("v{text}"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_named_after_target_and_version() {
        for (version, target, image) in [
            ("24.10.4", "ath79/generic", "base:ath79-generic-v24.10.4"),
            ("25.12.0-rc1", "x86/64", "base:x86-64-v25.12.0-rc1"),
            ("24.10-SNAPSHOT", "x86/64", "base:x86-64-openwrt-24.10"),
            ("SNAPSHOT", "mediatek/filogic", "base:mediatek-filogic-master"),
        ] {
            let (version, target) = (Version::parse(version).unwrap(), Target::parse(target).unwrap());
            assert_eq!(imagebuilder_image("base", &version, &target), image);
        }
    }
}
