//! Opening one file of a build to be served.

use std::{
    io,
    path::Path,
    time::{Duration, SystemTime},
};

use object_store::signer::Method;

use rustix::{
    fs::{CWD, Mode, OFlags, openat},
    io::Errno,
};

use crate::{bin_dir::BinDir, file_name::FileName};

/// How a file can be had.
#[derive(Debug)]
pub enum Opened {
    /// Here it is.
    File(StoredFile),
    /// It lies elsewhere; answer 302.
    Redirect(Redirect),
}

/// What somebody wants of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Its content.
    Get,
    /// What is told of it; an address that was signed for the content does not do.
    Head,
}

impl Access {
    pub(crate) fn method(self) -> Method {
        match self {
            Self::Get => Method::GET,
            Self::Head => Method::HEAD,
        }
    }
}

/// Where a file lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redirect {
    /// Its address.
    pub url: String,
    /// How long others may keep the answer; `None` if the address is for whoever asked alone.
    pub lasts: Option<Duration>,
}

/// An open file of a published build. It can be read to its end whatever happens to the build meanwhile.
#[derive(Debug)]
pub struct StoredFile {
    /// Open for reading.
    pub file: tokio::fs::File,
    /// Its length in bytes; published files do not change.
    pub length: u64,
    /// When it was written.
    pub modified: SystemTime,
}

/// `None` if there is no such build, no such file, or something there that is no plain file.
pub(crate) fn open(store: &Path, bin_dir: &BinDir, name: &FileName) -> io::Result<Option<StoredFile>> {
    match open_without_links(store, bin_dir, name) {
        Ok(file) => describe(file),
        // A symbolic link is LOOP, one in place of the directory NOTDIR: neither is a build of ours.
        Err(Errno::NOENT | Errno::LOOP | Errno::NOTDIR | Errno::NXIO) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Both names are validated to be single components, so not following either is not following any.
fn open_without_links(store: &Path, bin_dir: &BinDir, name: &FileName) -> rustix::io::Result<std::fs::File> {
    let common = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let directory = openat(CWD, store.join(bin_dir.as_str()), common | OFlags::DIRECTORY, Mode::empty())?;
    // NONBLOCK, because opening a pipe would wait for its writer; it means nothing for files.
    openat(directory, name.as_str(), common | OFlags::NONBLOCK, Mode::empty()).map(std::fs::File::from)
}

fn describe(file: std::fs::File) -> io::Result<Option<StoredFile>> {
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Ok(None);
    }
    let (length, modified) = (metadata.len(), metadata.modified()?);
    Ok(Some(StoredFile { file: tokio::fs::File::from_std(file), length, modified }))
}
