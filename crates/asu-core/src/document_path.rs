//! Which document of a version a client asks for, read from the path of its request.

use crate::{Arch, ProfileName, Target, Version};

/// A document about a part of a version, as its path below `/json/v1/` names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DocumentPath {
    /// `{path}/targets/{target}/{profile}.json`
    Profile {
        /// The version that the path stands for.
        version: Version,
        /// The target.
        target: Target,
        /// The profile, by any of its names.
        profile: ProfileName,
    },
    /// `{path}/targets/{target}/index.json`: the packages of a target.
    TargetIndex {
        /// The version that the path stands for.
        version: Version,
        /// The target.
        target: Target,
    },
    /// `{path}/packages/{arch}-index.json`: the packages of all feeds.
    ArchIndex {
        /// The version that the path stands for.
        version: Version,
        /// The architecture.
        arch: Arch,
    },
}

const SNAPSHOT: &str = "SNAPSHOT";

impl DocumentPath {
    /// Reads a path without a slash at its front; `{path}` is `snapshots` or `releases/{version}`. Every part has the
    /// alphabet of its type, so that none can lead anywhere else. `None` if there is no such document.
    pub fn parse(path: &str) -> Option<Self> {
        let parts: Vec<_> = path.split('/').collect();
        let (version, rest) = match &*parts {
            ["snapshots", rest @ ..] => (SNAPSHOT, rest),
            // Development lies at a path of its own, and only there.
            ["releases", version, rest @ ..] if *version != SNAPSHOT => (*version, rest),
            _ => return None,
        };
        Self::parse_below(Version::parse(version).ok().filter(|version| is_step(version.as_str()))?, rest)
    }

    fn parse_below(version: Version, parts: &[&str]) -> Option<Self> {
        match parts {
            ["targets", target, subtarget, file] if !target.is_empty() && !subtarget.is_empty() => {
                let target = Target::parse(&format!("{target}/{subtarget}")).ok()?;
                match file.strip_suffix(".json")? {
                    "index" => Some(Self::TargetIndex { version, target }),
                    "." | ".." => None,
                    profile => Some(Self::Profile { version, target, profile: ProfileName::parse(profile).ok()? }),
                }
            }
            ["packages", file] => {
                let arch = Arch::parse(file.strip_suffix("-index.json")?).ok().filter(|arch| is_step(arch.as_str()))?;
                Some(Self::ArchIndex { version, arch })
            }
            _ => None,
        }
    }
}

/// The alphabets have the dot, so that `..` is of them; in a path of upstream it would lead elsewhere.
fn is_step(name: &str) -> bool {
    !matches!(name, "" | "." | "..")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(path: DocumentPath) -> String {
        match path {
            DocumentPath::Profile { version, target, profile } => format!("profile {version} {target} {profile}"),
            DocumentPath::TargetIndex { version, target } => format!("target {version} {target}"),
            DocumentPath::ArchIndex { version, arch } => format!("arch {version} {arch}"),
        }
    }

    #[test]
    fn paths_name_documents_or_nothing() {
        for (path, expected) in [
            ("snapshots/targets/x86/64/generic.json", Some("profile SNAPSHOT x86/64 generic")),
            ("releases/24.10.4/targets/x86/64/a,b.json", Some("profile 24.10.4 x86/64 a,b")),
            ("releases/24.10-SNAPSHOT/targets/x86/64/index.json", Some("target 24.10-SNAPSHOT x86/64")),
            ("snapshots/packages/x86_64-index.json", Some("arch SNAPSHOT x86_64")),
            ("releases/24.10.4/packages/aarch64_cortex-a53-index.json", Some("arch 24.10.4 aarch64_cortex-a53")),
            ("", None),
            ("snapshots", None),
            ("releases/SNAPSHOT/targets/x86/64/index.json", None),
            ("snapshots/24.10.4/targets/x86/64/index.json", None),
            ("releases/24.10.4/targets/x86/index.json", None),
            ("releases/24.10.4/targets//64/index.json", None),
            ("releases/24.10.4/targets/x86/64/generic", None),
            ("releases/24.10.4/targets/../../index.json", None),
            ("releases/24.10.4/targets/x86/64/../index.json", None),
            ("releases/24.10.4/targets/x86/64/a\0.json", None),
            ("releases/../targets/x86/64/index.json", None),
            ("releases/./targets/x86/64/index.json", None),
            ("releases//targets/x86/64/index.json", None),
            ("releases/24.10.4/targets/x86/64/...json", None),
            ("snapshots/packages/..-index.json", None),
            ("releases/a b/targets/x86/64/index.json", None),
            ("releases/24.10.4/packages/-index.json", None),
            ("releases/24.10.4/packages/../x-index.json", None),
            ("releases/24.10.4/packages/index.json", None),
        ] {
            assert_eq!(DocumentPath::parse(path).map(render).as_deref(), expected, "{path:?}");
        }
    }
}
