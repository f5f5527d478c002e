//! What `make info` of an ImageBuilder prints: its target, its revision, its default packages and its profiles.

use std::collections::BTreeMap;

use crate::{
    names::{Arch, InvalidName, ProfileName, VersionCode},
    package::PackageSelector,
    target::Target,
};

/// An ImageBuilder, described by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MakeInfo {
    /// The target whose images it makes.
    pub target: Target,
    /// The architecture, `mips`; not the packages' architecture.
    pub arch: Arch,
    /// The revision it was built from.
    pub revision: VersionCode,
    /// What every image holds unless it is asked to leave something out. Upstream's list may hold removals.
    pub default_packages: Vec<PackageSelector>,
    /// Its profiles by name.
    pub profiles: BTreeMap<ProfileName, MakeInfoProfile>,
}

/// A profile of an ImageBuilder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MakeInfoProfile {
    /// What people call the device; empty if the ImageBuilder does not say.
    pub title: String,
    /// What the profile adds to the default packages, or removes from them.
    pub packages: Vec<PackageSelector>,
    /// True if its images carry metadata that a device checks before it upgrades.
    pub has_image_metadata: bool,
    /// Names under which devices know themselves, commas as printed.
    pub supported_devices: Vec<String>,
}

/// A text that is not what `make info` prints.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MakeInfoError {
    /// A line that every ImageBuilder prints is not there.
    #[error("`make info` printed no line {line:?}")]
    Missing {
        /// How the line begins.
        line: &'static str,
    },
    /// A line is there and holds something else than it should.
    #[error("`make info` printed an unusable line {line:?}")]
    Invalid {
        /// How the line begins.
        line: &'static str,
        /// What is wrong with it.
        source: InvalidName,
    },
}

const TARGET: &str = "Current Target:";
const ARCH: &str = "Current Architecture:";
const REVISION: &str = "Current Revision:";
const DEFAULT_PACKAGES: &str = "Default Packages:";
const PROFILES: &str = "Available Profiles:";
const PACKAGES: &str = "Packages:";
const IMAGE_METADATA: &str = "hasImageMetadata:";
const SUPPORTED_DEVICES: &str = "SupportedDevices:";

impl MakeInfo {
    /// Reads the standard output of `make info`; what make itself says in between is passed over.
    ///
    /// # Errors
    /// One of the five headings is missing, or holds what cannot be a name.
    pub fn parse(text: &str) -> Result<Self, MakeInfoError> {
        let mut head: BTreeMap<&'static str, &str> = BTreeMap::new();
        let mut lines = text.lines();
        let complete = lines.by_ref().any(|line| {
            for heading in [TARGET, ARCH, REVISION, DEFAULT_PACKAGES] {
                if let Some(value) = line.strip_prefix(heading) {
                    head.entry(heading).or_insert(value.trim().trim_matches('"'));
                }
            }
            line.trim_end() == PROFILES
        });
        let value = |line| head.get(line).copied().ok_or(MakeInfoError::Missing { line });
        let info = Self {
            target: Target::parse(value(TARGET)?).map_err(invalid(TARGET))?,
            arch: Arch::parse(value(ARCH)?).map_err(invalid(ARCH))?,
            revision: VersionCode::parse(value(REVISION)?).map_err(invalid(REVISION))?,
            default_packages: parse_packages(value(DEFAULT_PACKAGES)?).map_err(invalid(DEFAULT_PACKAGES))?,
            profiles: parse_profiles(lines)?,
        };
        if complete { Ok(info) } else { Err(MakeInfoError::Missing { line: PROFILES }) }
    }
}

fn invalid(line: &'static str) -> impl Fn(InvalidName) -> MakeInfoError {
    move |source| MakeInfoError::Invalid { line, source }
}

fn parse_packages(words: &str) -> Result<Vec<PackageSelector>, InvalidName> {
    words.split_whitespace().map(PackageSelector::parse).collect()
}

/// A profile begins with its name and a colon at the margin; what belongs to it is indented.
fn parse_profiles<'a>(
    lines: impl Iterator<Item = &'a str>,
) -> Result<BTreeMap<ProfileName, MakeInfoProfile>, MakeInfoError> {
    let mut profiles = BTreeMap::new();
    let mut current: Option<ProfileName> = None;
    for line in lines.filter(|line| !line.trim().is_empty()) {
        if line.starts_with([' ', '\t']) {
            if let Some(profile) = current.as_ref().and_then(|name| profiles.get_mut(name)) {
                parse_profile_line(profile, line.trim())?;
            }
        } else {
            // A line at the margin that names no profile is make's own; what is indented below it is, too.
            current = line.trim_end().strip_suffix(':').and_then(parse_profile_name);
            if let Some(name) = &current {
                profiles.insert(name.clone(), MakeInfoProfile::default());
            }
        }
    }
    Ok(profiles)
}

fn parse_profile_name(text: &str) -> Option<ProfileName> {
    ProfileName::parse(text).ok().filter(|name| !name.as_str().is_empty())
}

fn parse_profile_line(profile: &mut MakeInfoProfile, line: &str) -> Result<(), MakeInfoError> {
    if let Some(words) = line.strip_prefix(PACKAGES) {
        profile.packages = parse_packages(words).map_err(invalid(PACKAGES))?;
    } else if let Some(flag) = line.strip_prefix(IMAGE_METADATA) {
        profile.has_image_metadata = flag.trim() == "1";
    } else if let Some(words) = line.strip_prefix(SUPPORTED_DEVICES) {
        profile.supported_devices = words.split_whitespace().map(str::to_owned).collect();
    } else if profile.title.is_empty() {
        line.clone_into(&mut profile.title);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ATH79: &str = "\
Current Target: \"ath79/generic\"
Current Architecture: \"mips\"
Current Revision: \"r24106-10cc5fcd00\"
Default Packages: base-files busybox libstdc++6 -ppp
Available Profiles:

8dev_carambola2:
    8devices Carambola2
    Packages: kmod-usb2 kmod-usb-chipidea2
    hasImageMetadata: 1
    SupportedDevices: 8dev,carambola2 carambola2
tplink_tl-wr841-v9:
    TP-Link TL-WR841N/ND: v9
    Packages: -uboot-envtools
    hasImageMetadata: 0
Default:
    Packages:
nameless:
\t
\tPackages: kmod-usb2
";

    fn packages(selectors: &[PackageSelector]) -> Vec<String> {
        selectors.iter().map(PackageSelector::to_string).collect()
    }

    fn profile<'a>(info: &'a MakeInfo, name: &str) -> &'a MakeInfoProfile {
        &info.profiles[&ProfileName::parse(name).unwrap()]
    }

    #[test]
    fn the_head_names_target_revision_and_default_packages() {
        let info = MakeInfo::parse(ATH79).unwrap();
        assert_eq!(info.target.as_str(), "ath79/generic");
        assert_eq!(info.arch.as_str(), "mips");
        assert_eq!(info.revision.as_str(), "r24106-10cc5fcd00");
        assert_eq!(packages(&info.default_packages), ["base-files", "busybox", "libstdc++6", "-ppp"]);
        assert_eq!(info.profiles.len(), 4);
    }

    #[test]
    fn profiles_have_titles_packages_and_devices_or_lack_them() {
        let info = MakeInfo::parse(ATH79).unwrap();
        let carambola = profile(&info, "8dev_carambola2");
        assert_eq!(carambola.title, "8devices Carambola2");
        assert_eq!(packages(&carambola.packages), ["kmod-usb2", "kmod-usb-chipidea2"]);
        assert!(carambola.has_image_metadata);
        assert_eq!(carambola.supported_devices, ["8dev,carambola2", "carambola2"]);
        let wr841 = profile(&info, "tplink_tl-wr841-v9");
        assert_eq!(wr841.title, "TP-Link TL-WR841N/ND: v9");
        assert_eq!(packages(&wr841.packages), ["-uboot-envtools"]);
        assert!(!wr841.has_image_metadata && wr841.supported_devices.is_empty());
        assert_eq!(profile(&info, "Default"), &MakeInfoProfile::default());
        assert_eq!(profile(&info, "nameless").title, "");
        assert_eq!(packages(&profile(&info, "nameless").packages), ["kmod-usb2"]);
    }

    #[test]
    fn what_make_says_itself_is_passed_over() {
        let noise = "make[1]: Entering directory '/builder'\n    Packages: x y\nwarning: slow disk\n";
        let text = format!("{noise}{}{noise}", ATH79.replace('\n', "\r\n"));
        assert_eq!(MakeInfo::parse(&text), MakeInfo::parse(ATH79));
    }

    #[test]
    fn a_text_without_its_headings_is_refused() {
        for line in [TARGET, ARCH, REVISION, DEFAULT_PACKAGES, PROFILES] {
            let error = MakeInfo::parse(&ATH79.replace(line, "Other:")).unwrap_err();
            assert_eq!(error, MakeInfoError::Missing { line });
        }
        assert!(MakeInfo::parse("make: *** No rule to make target 'info'.  Stop.").is_err());
    }

    #[test]
    fn a_heading_with_an_impossible_value_is_refused() {
        for (good, bad, line) in [
            ("ath79/generic", "ath79", TARGET),
            ("r24106-10cc5fcd00", "r1 $(reboot)", REVISION),
            ("busybox", "busy;box", DEFAULT_PACKAGES),
            ("kmod-usb2 ", "kmod/usb2 ", PACKAGES),
        ] {
            let error = MakeInfo::parse(&ATH79.replacen(good, bad, 1)).unwrap_err();
            assert!(matches!(error, MakeInfoError::Invalid { line: named, .. } if named == line), "{error:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC*(\n\\PC*)*") {
            let _ = MakeInfo::parse(&text);
            let _ = MakeInfo::parse(&format!("{ATH79}{text}"));
        }
    }
}
