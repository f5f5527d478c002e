//! What can go wrong between here and upstream, and what a request is refused for.

use std::{error::Error, sync::Arc, time::Duration};

use asu_core::{Distro, Target, Version};
use reqwest::StatusCode;

/// A question that the catalog does not answer with data. The texts of the first four are those of the contract.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CatalogError {
    /// No such distribution is served.
    #[error("Unsupported distro: {0}")]
    UnsupportedDistro(Distro),
    /// The branch of this version is unknown or switched off.
    #[error("Unsupported branch: {0}")]
    UnsupportedBranch(Version),
    /// Upstream has released no such version.
    #[error("Unsupported version: {0}")]
    UnsupportedVersion(Version),
    /// The version has no such target, or not yet.
    #[error(
        "Unsupported target: {0}. The requested target was either dropped, is still being built or is not supported \
         by the selected version. Please check the forums or try again later."
    )]
    UnsupportedTarget(Target),
    /// Upstream is away or broken and nothing older is at hand; another try may succeed.
    #[error("cannot fetch {path} from upstream")]
    Unavailable {
        /// The file that is needed, below the upstream's URL.
        path: String,
        /// Why it cannot be had.
        source: Arc<FetchError>,
    },
}

/// Why a file could not be fetched, or could not be used.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// No connection, no answer in time, or one that broke off.
    #[error("the connection to upstream failed or took too long")]
    Connection(#[source] reqwest::Error),
    /// An answer that is neither the file nor the word that there is none.
    #[error("upstream answered {0}")]
    Status(StatusCode),
    /// More than is read of any file.
    #[error("the file is larger than {limit} bytes")]
    TooLarge {
        /// `upstream_max_size`
        limit: u64,
    },
    /// A file whose end cannot be told from a connection that broke.
    #[error("upstream does not say how large the file is")]
    NoLength,
    /// Nothing came for too long in the middle of a file.
    #[error("nothing came from upstream for {} s", .0.as_secs())]
    Stalled(Duration),
    /// The file is not what its name says.
    #[error("the file cannot be read")]
    Unreadable(#[source] Box<dyn Error + Send + Sync>),
    /// The fetch goes on, but nobody waits for it any longer.
    #[error("upstream takes longer than {0:?}")]
    Slow(Duration),
    /// The fetch ended without a result: it panicked, or the process is about to end.
    #[error("the fetch was interrupted")]
    Interrupted,
}

/// Settings that no upstream can be reached with; the process does not start.
#[derive(Debug, thiserror::Error)]
pub enum InvalidUpstream {
    /// Not an http or https URL.
    #[error("the setting {key} must be an http or https URL, not {value:?}")]
    Url {
        /// The setting.
        key: &'static str,
        /// What it says.
        value: String,
    },
    /// A distribution whose requests could not be told from others.
    #[error("the setting distros.{name}: {reason}")]
    Distro {
        /// What the settings call it.
        name: String,
        /// Why it cannot be called so.
        reason: &'static str,
    },
    /// A limit of zero would let nothing through.
    #[error("the setting {0} must be at least 1")]
    Zero(&'static str),
    /// TLS cannot be set up on this machine.
    #[error("cannot set up the HTTP client")]
    Client(#[source] reqwest::Error),
}

/// An error with all its causes in one line, for logs and health.
pub(crate) fn chain(error: &dyn Error) -> String {
    let causes = std::iter::successors(Some(error), |&error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
