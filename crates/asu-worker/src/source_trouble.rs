//! What is wrong with the places that packages come from: ours, which are tried again, and those that a request brought.

use asu_core::{BuildFailure, BuildRequest, ManifestTrouble};

use crate::stop::{Stop, Trouble};

/// The list of an apk repository.
const APK_INDEX: &str = "/packages.adb";

/// Why the build ends, if it is not about packages. A repository that the request brought may be away for good, or it is
/// our network that is; upstream and the network are never the request's fault.
pub(crate) fn source_trouble(request: &BuildRequest, trouble: &ManifestTrouble, postponed: u32) -> Option<Stop> {
    match trouble {
        ManifestTrouble::Network { what } => Some(match may_be_custom(request, what) {
            true => {
                let failure = BuildFailure::RepositoryUnavailable { what: what.clone() };
                Stop::doubtful(postponed, Trouble::Download { what: what.clone() }, failure)
            }
            false => Trouble::Download { what: what.clone() }.into(),
        }),
        ManifestTrouble::Untrusted { repository } => Some(match is_custom(request, repository) {
            true => BuildFailure::RepositoryUntrusted { repository: repository.clone() }.into(),
            false => Trouble::Signature { repository: repository.clone() }.into(),
        }),
        ManifestTrouble::Impossible { .. } | ManifestTrouble::Unknown => None,
    }
}

/// Of some things that cannot be downloaded the package manager does not say where they should be.
fn may_be_custom(request: &BuildRequest, what: &str) -> bool {
    (!what.contains("://") && !request.repositories.is_empty()) || is_custom(request, what)
}

fn is_custom(request: &BuildRequest, url: &str) -> bool {
    request.repositories.values().any(|custom| {
        let custom = custom.as_str().trim_end_matches('/');
        let below = url.strip_prefix(custom.strip_suffix(APK_INDEX).unwrap_or(custom));
        below.is_some_and(|path| path.is_empty() || path.starts_with('/'))
    })
}

#[cfg(test)]
mod tests {
    use asu_core::{RepositoryName, RepositoryUrl};

    use super::*;
    use crate::fixture::request;

    fn judged(custom: Option<&str>, trouble: &ManifestTrouble, postponed: u32) -> &'static str {
        let mut request = request();
        if let Some(custom) = custom {
            let url = RepositoryUrl::parse(custom).unwrap();
            request.repositories.insert(RepositoryName::parse("mine").unwrap(), url);
        }
        match source_trouble(&request, trouble, postponed) {
            Some(Stop::Failed(failure)) => failure.kind(),
            Some(Stop::Trouble(_)) => "trouble",
            None => "packages",
        }
    }

    #[test]
    fn a_repository_of_the_requests_own_fails_it_if_it_stays_away() {
        let url = ManifestTrouble::Network { what: "https://d.org/x/Packages.gz".to_owned() };
        let package = ManifestTrouble::Network { what: "vim-9.1-r1: package mentioned in index not found".to_owned() };
        for (custom, trouble, last) in [
            (Some("https://d.org/x/"), &url, "repository_unavailable"),
            (Some("https://d.org/x/Packages.gz"), &url, "repository_unavailable"),
            (Some("https://my.org/"), &package, "repository_unavailable"),
            (Some("https://my.org/"), &url, "trouble"),
            (Some("https://d.org/x/Pack"), &url, "trouble"),
            (None, &url, "trouble"),
            (None, &package, "trouble"),
        ] {
            assert_eq!(judged(custom, trouble, 0), "trouble", "{custom:?}");
            assert_eq!(judged(custom, trouble, u32::MAX), last, "{custom:?}");
        }
    }

    #[test]
    fn only_a_repository_of_the_requests_own_can_lack_its_key() {
        let untrusted = ManifestTrouble::Untrusted { repository: "https://d.org/x".to_owned() };
        for (custom, expected) in [
            (Some("https://d.org/x/"), "repository_untrusted"),
            (Some("https://d.org/x/packages.adb"), "repository_untrusted"),
            (Some("https://d.org/xy"), "trouble"),
            (None, "trouble"),
        ] {
            assert_eq!(judged(custom, &untrusted, 0), expected, "{custom:?}");
        }
        assert_eq!(judged(None, &ManifestTrouble::Unknown, 0), "packages");
    }
}
