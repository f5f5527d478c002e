//! Files of upstream that are needed once, and so are not cached.

use std::{fmt, sync::Arc};

use asu_core::Distro;
use bytes::Bytes;

use crate::{
    config::{Config, DistroSettings},
    download::{Download, DownloadLimits},
    error::{FetchError, InvalidUpstream},
    fetcher::{Fetched, Fetcher, Validators},
};

/// The files of one distribution. Clones share the connections.
#[derive(Clone)]
pub struct Downloads(Arc<Fetcher>);

impl Downloads {
    /// Nothing is sent yet. `None` if the settings do not know the distribution.
    ///
    /// # Errors
    /// URLs or limits that cannot work, or a machine on which TLS cannot be set up.
    pub fn of(config: &Config, distro: &Distro) -> Result<Option<Self>, InvalidUpstream> {
        if *distro == Distro::openwrt() {
            return Self::new(config).map(Some);
        }
        let Some(DistroSettings { upstream_url, upstream_mirror_url, .. }) =
            config.distros.get(distro.as_str()).cloned()
        else {
            return Ok(None);
        };
        Self::new(&Config { upstream_url, upstream_mirror_url, ..config.clone() }).map(Some)
    }

    fn new(config: &Config) -> Result<Self, InvalidUpstream> {
        Fetcher::new(config).map(|fetcher| Self(Arc::new(fetcher)))
    }

    /// A small file, whole; none if there is no such file.
    ///
    /// # Errors
    /// Upstream is away or broken, or the file is larger than `upstream_max_size`.
    pub async fn small(&self, path: &str) -> Result<Option<Bytes>, FetchError> {
        match self.0.fetch(path, &Validators::default()).await? {
            Fetched::New { body, validators: _ } => Ok(Some(body)),
            Fetched::Unchanged | Fetched::Missing => Ok(None),
        }
    }

    /// A large file, to be read as it comes; none if there is no such file.
    ///
    /// # Errors
    /// Upstream is away or broken, or the file is too large.
    pub async fn open(&self, path: &str, limits: DownloadLimits) -> Result<Option<Download>, FetchError> {
        self.0.open(path, limits).await
    }
}

impl fmt::Debug for Downloads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Downloads")
    }
}
