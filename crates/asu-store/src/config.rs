//! The settings of the store.

use std::path::PathBuf;

use asu_config::ByteSize;
use serde::Deserialize;

/// Where images are kept; the fields are named as the keys in `asu.example.toml`.
#[derive(Debug, Clone, Deserialize)]
pub struct Config {
    /// The directory that holds `store/`.
    pub public_path: PathBuf,
    /// Below this much free space nothing new is made.
    pub store_min_free: ByteSize,
}
