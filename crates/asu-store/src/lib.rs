//! Finished firmware images in a directory (`<public_path>/store/<bin_dir>/<file>`) or a bucket, where a reader sees all
//! or nothing.
//!
//! A worker fills a [`Staging`] directory and publishes it: in a directory with one rename, in a bucket with one last
//! object. Whoever serves opens single files by validated names, or is told where they lie.
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may panic"))]

mod bin_dir;
mod bucket;
mod config;
mod contents;
mod entries;
mod entry_name;
mod error;
mod file_name;
mod local_store;
mod open;
mod space;
mod staging;
mod staging_directory;
mod store;
mod sweep;

pub use bin_dir::{BinDir, InvalidBinDir};
pub use config::{BackendKind, Config, InvalidConfig};
pub use entries::{Entries, Published};
pub use error::StoreError;
pub use file_name::{FileName, InvalidFileName};
pub use open::{Access, Opened, Redirect, StoredFile};
pub use space::Space;
pub use staging::Staging;
pub use store::Store;
