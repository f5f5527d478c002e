//! What lies in a build's directory: written out to the disk before it is shown, and counted afterwards.

use std::{
    fs::{self, File, Permissions},
    io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

/// Whoever serves may be another user than whoever builds.
const FILE_MODE: u32 = 0o644;
pub(crate) const DIRECTORY_MODE: u32 = 0o755;

/// The deepest that directories may lie in each other; ImageBuilder makes one level.
const MAX_DEPTH: usize = 8;

/// Why a directory cannot be published.
#[derive(Debug)]
pub(crate) enum Unfit {
    /// The thing at this path is neither a file nor a directory, or lies too deep.
    NotAFile(PathBuf),
    /// The disk says no.
    Io(io::Error),
}

impl From<io::Error> for Unfit {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// One file of a staged build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StagedFile {
    /// Its path within the build's directory.
    pub(crate) path: PathBuf,
}

impl StagedFile {
    /// The path as text; `None` if it is none.
    pub(crate) fn name(&self) -> Option<&str> {
        self.path.to_str()
    }
}

/// All files in `directory` and below, in no order. What is not readable for us is made so.
pub(crate) fn files(directory: &Path) -> Result<Vec<StagedFile>, Unfit> {
    let mut found = Vec::new();
    visit(directory, MAX_DEPTH, &mut |path, is_file| {
        if is_file {
            found.push(StagedFile { path: within(directory, path) });
        }
        Ok(())
    })?;
    Ok(found)
}

/// The path of something below `directory`, as it is seen from there.
pub(crate) fn within(directory: &Path, path: &Path) -> PathBuf {
    path.strip_prefix(directory).unwrap_or(path).to_owned()
}

/// Makes everything in `directory` readable for all and writes it out to the disk, the directories last.
pub(crate) fn settle(directory: &Path) -> Result<(), Unfit> {
    visit(directory, MAX_DEPTH, &mut |path, _is_file| sync(path))
}

/// Calls `each` with each file (true) and, after what it holds, with each directory (false); sets their modes before.
fn visit(directory: &Path, depth: usize, each: &mut dyn FnMut(&Path, bool) -> io::Result<()>) -> Result<(), Unfit> {
    // First the mode: what the archive said may keep even its owner out.
    fs::set_permissions(directory, Permissions::from_mode(DIRECTORY_MODE))?;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let (path, kind) = (entry.path(), entry.file_type()?);
        if kind.is_file() {
            fs::set_permissions(&path, Permissions::from_mode(FILE_MODE))?;
            each(&path, true)?;
        } else if kind.is_dir() && depth > 0 {
            visit(&path, depth - 1, each)?;
        } else {
            return Err(Unfit::NotAFile(path));
        }
    }
    Ok(each(directory, false)?)
}

/// Writes a file, or a directory's own entries, out to the disk.
pub(crate) fn sync(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// The lengths of all files in `directory`, in bytes.
pub(crate) fn size(directory: &Path) -> io::Result<u64> {
    let mut total = 0;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        // Not following links: what they point to is not ours.
        let metadata = entry.metadata()?;
        total += if metadata.is_dir() { size(&entry.path())? } else { metadata.len() };
    }
    Ok(total)
}
