//! What the entries of the store's directory are: builds, builds in the making, and builds on their way out.

use crate::bin_dir::BinDir;

const STAGING: &str = ".tmp-";
const DOOMED: &str = ".old-";
/// One name for all processes, so that one that dies while it tries to write leaves one file at most.
pub(crate) const PROBE: &str = ".probe";

/// One entry, by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum EntryName {
    /// A published build.
    Published(BinDir),
    /// A build that somebody makes, or made until it died.
    Staging,
    /// A build that was renamed away to be deleted.
    Doomed,
    /// Written and deleted to see whether that works.
    Probe,
}

impl EntryName {
    /// `None` for what is not ours; such entries are left alone.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        if let Ok(bin_dir) = BinDir::parse(name) {
            return Some(Self::Published(bin_dir));
        }
        let of = |infix: &str| name.split_once(infix).is_some_and(|(bin_dir, _)| BinDir::parse(bin_dir).is_ok());
        if of(STAGING) {
            Some(Self::Staging)
        } else if of(DOOMED) {
            Some(Self::Doomed)
        } else if name == PROBE {
            Some(Self::Probe)
        } else {
            None
        }
    }
}

/// A fresh name for a build in the making, beside its final one.
pub(crate) fn staging_name(bin_dir: &BinDir) -> String {
    format!("{bin_dir}{STAGING}{:016x}", rand::random::<u64>())
}

/// A fresh name for a build on its way out.
pub(crate) fn doomed_name(bin_dir: &BinDir) -> String {
    format!("{bin_dir}{DOOMED}{:016x}", rand::random::<u64>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_told_apart_by_name() {
        let bin_dir = BinDir::new(&"0".repeat(64), "aaaaaaaaaaaa").unwrap();
        assert_eq!(EntryName::parse(bin_dir.as_str()), Some(EntryName::Published(bin_dir.clone())));
        assert_eq!(EntryName::parse(&staging_name(&bin_dir)), Some(EntryName::Staging));
        assert_eq!(EntryName::parse(&doomed_name(&bin_dir)), Some(EntryName::Doomed));
        assert_eq!(EntryName::parse(PROBE), Some(EntryName::Probe));
        for other in ["lost+found", ".tmp-1", "x.old-1", ".nfs0001"] {
            assert_eq!(EntryName::parse(other), None, "{other}");
        }
    }
}
