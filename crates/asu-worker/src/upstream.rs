//! What the worker asks upstream: which revision a snapshot has now, and where its files lie.

use std::fmt;

use asu_core::{BuildRequest, Distro, Version, VersionCode};
use asu_service::error_chain;
use asu_upstream::{Catalogs, Config, InvalidUpstream};

/// The catalogs of all distributions; each file is asked for once in `upstream_ttl` at most.
#[derive(Clone)]
pub(crate) struct Upstream {
    catalogs: Catalogs,
}

impl Upstream {
    pub(crate) fn new(config: &Config) -> Result<Self, InvalidUpstream> {
        Ok(Self { catalogs: Catalogs::new(config)? })
    }

    /// The revision of a version and target; `None` while upstream does not say.
    pub(crate) async fn present_revision(&self, request: &BuildRequest) -> Option<VersionCode> {
        let catalog = self.catalogs.of(&request.distro).ok()?;
        match catalog.profiles(&request.version, &request.target).await {
            Ok(metadata) => Some(metadata.version_code.clone()),
            Err(error) => {
                tracing::warn!(error = error_chain(&error), "upstream does not say which revision it has");
                None
            }
        }
    }

    /// Where upstream keeps the files of a version: `snapshots`, `releases/24.10-SNAPSHOT`, or what the settings say.
    pub(crate) fn version_path(&self, distro: &Distro, version: &Version) -> String {
        let branches = self.catalogs.of(distro).ok().map(|catalog| catalog.branches());
        let branch = branches.and_then(|branches| branches.iter().find(|branch| branch.name == version.branch()));
        branch.map_or_else(|| format!("releases/{version}"), |branch| branch.version_path(version))
    }
}

impl fmt::Debug for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upstream").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use asu_config::Settings;

    use super::*;

    fn check(upstream: &Upstream, version: &str, path: &str) {
        assert_eq!(upstream.version_path(&Distro::openwrt(), &Version::parse(version).unwrap()), path);
    }

    #[tokio::test]
    async fn files_lie_where_the_branch_says() {
        let branches = toml::toml! {
            "24.10" = { path = "stable/{version}" }
            "26.06" = { branch_off_rev = 1 }
        };
        let settings = Settings::defaults().with("branches", branches);
        let upstream = Upstream::new(&settings.section().unwrap()).unwrap();
        check(&upstream, "SNAPSHOT", "snapshots");
        check(&upstream, "25.12-SNAPSHOT", "releases/25.12-SNAPSHOT");
        check(&upstream, "24.10-SNAPSHOT", "stable/24.10-SNAPSHOT");
        check(&upstream, "26.06-SNAPSHOT", "releases/26.06-SNAPSHOT");
        check(&upstream, "99.99-SNAPSHOT", "releases/99.99-SNAPSHOT");
    }
}
