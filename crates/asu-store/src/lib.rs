//! Finished firmware images in a directory: `<public_path>/store/<bin_dir>/<file>`, where a reader sees all or nothing.
//!
//! A worker fills a [`Staging`] directory and publishes it with one rename; whoever serves opens single files by
//! validated names. All calls are asynchronous and [`Opened`] may answer with a redirect, so that an object store can
//! stand behind the same calls.
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may panic"))]

mod bin_dir;
mod config;
mod contents;
mod entry_name;
mod error;
mod file_name;
mod local_store;
mod open;
mod space;
mod staging;
mod sweep;

pub use bin_dir::{BinDir, InvalidBinDir};
pub use config::Config;
pub use error::StoreError;
pub use file_name::{FileName, InvalidFileName};
pub use local_store::{LocalStore, Published};
pub use open::{Opened, StoredFile};
pub use space::Space;
pub use staging::Staging;
