//! Everything that can be wrong with an archive.

use std::{io, path::PathBuf};

use crate::{archive::name::EntryName, error::SandboxError};

/// Why files did not come out of a container.
#[derive(Debug, thiserror::Error)]
pub enum GetError {
    /// There is no such directory in the container.
    #[error("there is no {path} in the container")]
    Missing {
        /// What was asked for.
        path: String,
    },
    /// The archive holds what it may not hold: the program's fault.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The archive ends in the middle, or is none: Podman's fault.
    #[error("the archive from the container is broken")]
    Broken(#[source] io::Error),
    /// Our own disk.
    #[error("cannot write {}", path.display())]
    Disk {
        /// What was written.
        path: PathBuf,
        /// Why it cannot be written.
        source: io::Error,
    },
    /// The engine is broken.
    #[error(transparent)]
    Engine(#[from] SandboxError),
}

/// What an archive may not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArchiveError {
    /// What was asked for is no directory.
    #[error("{0} is not a directory")]
    NotADirectory(EntryName),
    /// An entry outside the directory that was asked for: an absolute path, `..`, or another directory.
    #[error("{0} is outside the directory")]
    Outside(EntryName),
    /// A name with control characters, that is not UTF-8, or too long.
    #[error("{0} is not a name we accept")]
    StrangeName(EntryName),
    /// A symbolic link or a hard link.
    #[error("{0} is a link")]
    Link(EntryName),
    /// A device, a fifo, or whatever else is neither a file nor a directory.
    #[error("{0} is neither a file nor a directory")]
    Special(EntryName),
    /// A file with holes, in one of the formats that describe them.
    #[error("{0} is a sparse file")]
    Sparse(EntryName),
    /// The same name twice, or a file where a directory is.
    #[error("{0} is there twice")]
    Duplicate(EntryName),
    /// A file in a directory that is not in the archive, or in a file.
    #[error("{0} is in no directory of the archive")]
    NoParent(EntryName),
    /// More directories in one another than allowed.
    #[error("{name} is deeper than {limit} directories")]
    TooDeep {
        /// The entry.
        name: EntryName,
        /// How deep it could be.
        limit: usize,
    },
    /// More files and directories than allowed.
    #[error("there are more than {limit} files, {name} is one more")]
    TooMany {
        /// The entry.
        name: EntryName,
        /// How many there could be.
        limit: usize,
    },
    /// More bytes than allowed, all files together.
    #[error("the files have more than {limit} bytes, with {name}")]
    TooLarge {
        /// The entry.
        name: EntryName,
        /// How many bytes there could be.
        limit: u64,
    },
    /// Extension headers that contradict the header, repeat each other, or are too long.
    #[error("{0} has extension headers that we do not accept")]
    StrangeHeaders(EntryName),
}
