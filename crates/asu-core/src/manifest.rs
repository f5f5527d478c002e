//! What `make manifest` prints: the installed packages with their versions.

use std::collections::BTreeMap;

use crate::{
    build_failure::BuildFailure,
    names::{PackageName, PackageVersion},
};

/// The installed packages of an image, name to version.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Manifest {
    packages: BTreeMap<String, String>,
}

impl Manifest {
    /// Reads opkg's `name - version` and apk's `name version`, one package per line; any other line is passed over,
    /// for what the package manager says while it works comes on the same output.
    pub fn parse(text: &str) -> Self {
        Self { packages: text.lines().filter_map(parse_line).collect() }
    }

    /// Name to version, sorted by name.
    pub fn packages(&self) -> &BTreeMap<String, String> {
        &self.packages
    }

    /// Name to version, sorted by name.
    pub fn into_packages(self) -> BTreeMap<String, String> {
        self.packages
    }

    /// True if not a single package was listed.
    pub fn is_empty(&self) -> bool {
        self.packages.is_empty()
    }

    /// The first pinned package that is not installed, or is installed in another version.
    pub fn missing_or_other(&self, pinned: &BTreeMap<PackageName, PackageVersion>) -> Option<BuildFailure> {
        pinned.iter().find_map(|(package, requested)| match self.packages.get(package.as_str()) {
            None => Some(BuildFailure::NotInManifest { package: package.clone() }),
            Some(built) if built == requested.as_str() => None,
            Some(built) => Some(BuildFailure::OtherVersion {
                package: package.clone(),
                requested: requested.clone(),
                built: printable_version(built),
            }),
        })
    }
}

fn parse_line(line: &str) -> Option<(String, String)> {
    let mut words = line.split_whitespace();
    let name = words.next()?;
    let second = words.next()?;
    let version = match (second, words.next()) {
        ("-", Some(version)) => version,
        // A version of apk begins with a digit by its grammar, which tells it from two words of chatter.
        (version, None) if version.starts_with(|c: char| c.is_ascii_digit()) => version,
        (_, None | Some(_)) => return None,
    };
    let is_package = words.next().is_none() && version.bytes().all(|b| b.is_ascii_graphic());
    (is_package && PackageName::parse(name).is_ok()).then(|| (name.to_owned(), version.to_owned()))
}

/// The built version for the text of a failure; a character that no request could pin becomes `_`.
fn printable_version(version: &str) -> PackageVersion {
    let text: String =
        version.chars().map(|c| if c.is_ascii_alphanumeric() || "+.,~-".contains(c) { c } else { '_' }).collect();
    PackageVersion::parse(&text).expect("every character was brought into the alphabet")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: &[(&str, &str)]) {
        let manifest = Manifest::parse(text);
        let packages: Vec<_> = manifest.packages().iter().map(|(name, version)| (&**name, &**version)).collect();
        assert_eq!(packages, expected, "{text:?}");
    }

    #[test]
    fn both_package_managers_are_read() {
        for (text, expected) in [
            ("busybox - 1.36.1-2\nlibstdc++6 - 13.3.0-4\n", &[("busybox", "1.36.1-2"), ("libstdc++6", "13.3.0-4")][..]),
            ("busybox 1.36.1-r2\r\nntfs-3g 2022.10.3-r1\n", &[("busybox", "1.36.1-r2"), ("ntfs-3g", "2022.10.3-r1")]),
            ("luci - git-24.264.56413-c7a3562\n", &[("luci", "git-24.264.56413-c7a3562")]),
            ("luci 26.062.41301~9b1c5e2\nowut 0\n", &[("luci", "26.062.41301~9b1c5e2"), ("owut", "0")]),
            ("kernel - 6.6.110~f5b83b57-r1", &[("kernel", "6.6.110~f5b83b57-r1")]),
            ("odd - 1:2.0", &[("odd", "1:2.0")]),
        ] {
            check(text, expected);
        }
    }

    #[test]
    fn chatter_is_passed_over() {
        for line in [
            "Building package index...",
            "make[1]: Entering directory '/builder'",
            "Installing base-files (1562) to root...",
            "(1/104) Installing busybox (1.36.1-r2)",
            "OK: 12 MiB in 104 packages",
            "Configuring busybox.",
            "busybox",
            "busybox -",
            "busybox - 1.0 - a description",
            "Executing hooks",
            "",
            "b/sybox 1.0",
        ] {
            check(&format!("{line}\nbusybox - 1.36.1-2\n{line}\n"), &[("busybox", "1.36.1-2")]);
        }
    }

    #[test]
    fn a_pinned_package_must_be_installed_in_its_version() {
        let manifest = Manifest::parse("busybox 1.36.1-r2\nodd - 1:2.0\n");
        for (name, version, detail) in [
            ("busybox", "1.36.1-r2", None),
            ("vim", "9", Some("Error: Impossible package selection: vim not in manifest")),
            (
                "busybox",
                "1.36",
                Some("Error: Impossible package selection: busybox version not as requested: 1.36 vs. 1.36.1-r2"),
            ),
            ("odd", "2", Some("Error: Impossible package selection: odd version not as requested: 2 vs. 1_2.0")),
        ] {
            let pinned = [(PackageName::parse(name).unwrap(), PackageVersion::parse(version).unwrap())].into();
            let failure = manifest.missing_or_other(&pinned);
            assert_eq!(failure.map(|failure| failure.to_string()).as_deref(), detail);
        }
        assert_eq!(manifest.missing_or_other(&BTreeMap::new()), None);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC*(\n\\PC* - \\PC*)*", pin in "[a-z]{1,3}") {
            let pinned = [(PackageName::parse(&pin).unwrap(), PackageVersion::parse("1").unwrap())].into();
            let _ = Manifest::parse(&text).missing_or_other(&pinned);
            let _ = Manifest::parse(&format!("{pin} - {text}")).missing_or_other(&pinned);
        }
    }
}
