//! downloads.openwrt.org: fetches its metadata, caches it, and answers from it while it is away.
//!
//! [`Catalogs`] is the way in: one [`Catalog`] for each distribution. Below it, one cache per kind of document holds one entry per file, and one fetcher talks
//! to the network. A file that is broken, slow or missing harms only the answers that need this very file.
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may panic"))]

mod branches;
mod cached_file;
mod catalog;
mod catalogs;
mod config;
mod documents;
mod download;
mod downloads;
mod error;
mod fetcher;
mod file_cache;
mod health;
mod indexes;
mod overview;
mod policy;

pub use branches::{BranchEntry, BranchTable};
pub use catalog::Catalog;
pub use catalogs::Catalogs;
pub use config::{BranchSettings, Config, DistroSettings};
pub use documents::{Targets, Versions};
pub use download::{Download, DownloadLimits};
pub use downloads::Downloads;
pub use error::{CatalogError, FetchError, InvalidUpstream};
pub use health::{FetchCounts, UpstreamHealth};
