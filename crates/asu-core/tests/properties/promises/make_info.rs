//! What holds of every output of `make info`.

use asu_core::{MakeInfo, MakeInfoProfile, PackageSelector};

/// What was read is read again when it is printed as an ImageBuilder would.
pub(crate) fn check(text: &str) {
    let Ok(info) = MakeInfo::parse(text) else { return };
    assert!(info.profiles.keys().all(|name| !name.as_str().is_empty()), "{info:?}");
    assert_eq!(MakeInfo::parse(&render(&info)).as_ref(), Ok(&info));
}

fn render(info: &MakeInfo) -> String {
    let MakeInfo { target, arch, revision, default_packages, profiles } = info;
    let mut text = format!(
        "Current Target: \"{target}\"\nCurrent Architecture: \"{arch}\"\nCurrent Revision: \"{revision}\"\n\
         Default Packages: {}\nAvailable Profiles:\n\n",
        words(default_packages)
    );
    for (name, profile) in profiles {
        let MakeInfoProfile { title, packages, has_image_metadata, supported_devices } = profile;
        text += &format!(
            "{name}:\n    {title}\n    Packages: {}\n    hasImageMetadata: {}\n    SupportedDevices: {}\n",
            words(packages),
            u8::from(*has_image_metadata),
            supported_devices.join(" ")
        );
    }
    text
}

fn words(packages: &[PackageSelector]) -> String {
    packages.iter().map(PackageSelector::to_string).collect::<Vec<_>>().join(" ")
}
