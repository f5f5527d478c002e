//! Unpacking below one directory: files and directories only, and nothing that a header says is taken on trust.

use std::{
    collections::{BTreeSet, HashSet},
    fs::{self, File, Permissions},
    io::{self, Read, Write},
    os::unix::fs::PermissionsExt,
    path::Path,
};

use sha2::{Digest, Sha256};
use tar::{Archive, Entry};

use super::{
    error::{ArchiveError, GetError},
    name::{EntryName, parse_path},
    pax::Extensions,
    source::EndWatch,
};

/// How much is read and written at a time.
const CHUNK: usize = 64 * 1024;

/// How much may come out of a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArchiveLimits {
    /// The bytes of all files together.
    pub bytes: u64,
    /// Files and directories together.
    pub entries: usize,
    /// Names in a path.
    pub depth: usize,
}

/// A file as it was written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ExtractedFile {
    /// Its path below the directory, with `/` between the names.
    pub path: String,
    /// Its size in bytes.
    pub size: u64,
    /// The SHA-256 of its content in hexadecimal digits.
    pub sha256: String,
}

/// Unpacks an archive whose entries are all below `root` into an existing, empty directory that nobody else writes to.
/// Answers the files by path. What was written before an error stays.
pub(crate) fn unpack(
    source: impl Read,
    root: &str,
    directory: &Path,
    limits: ArchiveLimits,
) -> Result<Vec<ExtractedFile>, GetError> {
    let mut source = EndWatch { inner: source, ended: false };
    let mut unpacker =
        Unpacker { root, directory, limits, bytes: 0, directories: HashSet::new(), files: BTreeSet::new() };
    let mut archive = Archive::new(&mut source);
    let mut extensions = Extensions::default();
    for entry in archive.entries().map_err(GetError::Broken)?.raw(true) {
        // Everything before this entry is well-formed, so a bad header means a broken stream.
        let entry = entry.map_err(GetError::Broken)?;
        if let Some(entry) = extensions.take(entry)? {
            unpacker.take(entry, &std::mem::take(&mut extensions))?;
        }
    }
    if source.ended {
        return Err(GetError::Broken(io::ErrorKind::UnexpectedEof.into()));
    }
    Ok(unpacker.files.into_iter().collect())
}

struct Unpacker<'a> {
    root: &'a str,
    directory: &'a Path,
    limits: ArchiveLimits,
    bytes: u64,
    directories: HashSet<String>,
    files: BTreeSet<ExtractedFile>,
}

impl Unpacker<'_> {
    fn take(&mut self, entry: Entry<'_, impl Read>, extensions: &Extensions) -> Result<(), GetError> {
        let name = extensions.name(entry.header())?;
        let shown = || EntryName::new(&name);
        let is_directory = is_directory(&entry, &name)?;
        let parts = parse_path(&name, self.root, self.limits.depth)?;
        if self.directories.len() + self.files.len() >= self.limits.entries {
            return Err(ArchiveError::TooMany { name: shown(), limit: self.limits.entries }.into());
        }
        let Some((_, parents)) = parts.split_last() else { return Ok(self.take_root(is_directory, shown())?) };
        if !self.directories.contains(&parents.join("/")) {
            return Err(ArchiveError::NoParent(shown()).into());
        }
        let path = parts.join("/");
        if is_directory { self.write_directory(path, shown()) } else { self.write_file(entry, path, shown()) }
    }

    /// The directory that was asked for is there already, under its new name.
    fn take_root(&mut self, is_directory: bool, name: EntryName) -> Result<(), ArchiveError> {
        if !is_directory {
            return Err(ArchiveError::NotADirectory(name));
        }
        if self.directories.insert(String::new()) { Ok(()) } else { Err(ArchiveError::Duplicate(name)) }
    }

    fn write_directory(&mut self, path: String, name: EntryName) -> Result<(), GetError> {
        let target = self.directory.join(&path);
        let created =
            fs::create_dir(&target).and_then(|()| fs::set_permissions(&target, Permissions::from_mode(0o755)));
        created.map_err(|source| not_written(&target, name, source))?;
        self.directories.insert(path);
        Ok(())
    }

    fn write_file(&mut self, entry: Entry<'_, impl Read>, path: String, name: EntryName) -> Result<(), GetError> {
        let left = self.limits.bytes - self.bytes;
        let claimed = entry.size();
        if claimed > left {
            return Err(ArchiveError::TooLarge { name, limit: self.limits.bytes }.into());
        }
        let target = self.directory.join(&path);
        // Only ever a new file: not through a link, not into one that is there.
        let file = File::create_new(&target).map_err(|source| not_written(&target, name, source))?;
        let disk = |source| GetError::Disk { path: target.clone(), source };
        file.set_permissions(Permissions::from_mode(0o644)).map_err(disk)?;
        let (size, sha256) = copy(entry, file, disk)?;
        if size != claimed {
            return Err(GetError::Broken(io::ErrorKind::UnexpectedEof.into()));
        }
        self.bytes += size;
        self.files.insert(ExtractedFile { path, size, sha256 });
        Ok(())
    }
}

fn is_directory(entry: &Entry<'_, impl Read>, name: &[u8]) -> Result<bool, ArchiveError> {
    let (kind, shown) = (entry.header().entry_type(), EntryName::new(name));
    if kind.is_dir() {
        // Nobody would count what comes with a directory.
        if entry.size() == 0 { Ok(true) } else { Err(ArchiveError::StrangeHeaders(shown)) }
    } else if kind.is_file() && !name.ends_with(b"/") {
        Ok(false)
    } else if kind.is_symlink() || kind.is_hard_link() || kind.is_gnu_longlink() {
        Err(ArchiveError::Link(shown))
    } else if kind.is_gnu_sparse() {
        Err(ArchiveError::Sparse(shown))
    } else {
        Err(ArchiveError::Special(shown))
    }
}

fn not_written(target: &Path, name: EntryName, source: io::Error) -> GetError {
    if source.kind() == io::ErrorKind::AlreadyExists {
        ArchiveError::Duplicate(name).into()
    } else {
        GetError::Disk { path: target.to_owned(), source }
    }
}

/// Writes and hashes; never more than the entry's size, which is within the limit.
fn copy(
    mut entry: Entry<'_, impl Read>,
    mut file: File,
    disk: impl Fn(io::Error) -> GetError,
) -> Result<(u64, String), GetError> {
    let (mut hash, mut size, mut buffer) = (Sha256::new(), 0, vec![0; CHUNK]);
    loop {
        let read = entry.read(&mut buffer).map_err(GetError::Broken)?;
        if read == 0 {
            return Ok((size, hex::encode(hash.finalize())));
        }
        file.write_all(&buffer[..read]).map_err(&disk)?;
        hash.update(&buffer[..read]);
        size += read as u64;
    }
}
