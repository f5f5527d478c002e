//! What lies in the store, as whoever tidies up needs to know it.

use std::time::SystemTime;

use crate::bin_dir::BinDir;

/// Everything in the store that is not on its way in or out, in no order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entries {
    /// The builds that can be read.
    pub builds: Vec<Published>,
    /// The names of things that are nothing of the store's; it leaves them alone.
    pub strange: Vec<String>,
}

/// A build that the store holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// Its directory.
    pub bin_dir: BinDir,
    /// When it was published, or shortly before.
    pub modified: SystemTime,
    /// The lengths of all its files, in bytes.
    pub size: u64,
}
