//! How much room the store's filesystem has.

use std::{io, path::Path};

/// Bytes of the store's filesystem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// What may still be written by a process without privileges.
    pub free: u64,
    /// The size of the filesystem.
    pub total: u64,
}

impl Space {
    pub(crate) fn of(path: &Path) -> io::Result<Self> {
        let stat = rustix::fs::statvfs(path)?;
        let bytes = |blocks: u64| blocks.saturating_mul(stat.f_frsize);
        Ok(Self { free: bytes(stat.f_bavail), total: bytes(stat.f_blocks) })
    }
}
