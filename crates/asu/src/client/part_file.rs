//! A file that is being downloaded: `NAME.part` until all of it is there and right.

use std::{
    io,
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};
use tokio::{
    fs::{self, File, OpenOptions},
    io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt},
};

use crate::client::error::ClientError;

const BUFFER: usize = 256 << 10;

/// The part of a file that is there, and the hash of it.
#[derive(Debug)]
pub(crate) struct PartFile {
    path: PathBuf,
    file: File,
    hasher: Sha256,
    length: u64,
}

impl PartFile {
    /// Goes on with what an earlier download left.
    pub(crate) async fn open(target: &Path) -> Result<Self, ClientError> {
        let mut name = target.as_os_str().to_owned();
        name.push(".part");
        let path = PathBuf::from(name);
        let open = async || {
            let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).await?;
            let (hasher, length) = hash(&mut file).await?;
            Ok((file, hasher, length))
        };
        let (file, hasher, length) = open().await.map_err(at(&path))?;
        Ok(Self { path, file, hasher, length })
    }

    /// Bytes that are there.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// Begins again with nothing.
    pub(crate) async fn restart(&mut self) -> Result<(), ClientError> {
        let mut restart = async || {
            self.file.set_len(0).await?;
            self.file.seek(io::SeekFrom::Start(0)).await
        };
        restart().await.map_err(at(&self.path))?;
        self.hasher = Sha256::new();
        self.length = 0;
        Ok(())
    }

    /// Adds bytes at the end.
    pub(crate) async fn append(&mut self, bytes: &[u8]) -> Result<(), ClientError> {
        self.file.write_all(bytes).await.map_err(at(&self.path))?;
        self.hasher.update(bytes);
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Writes what is still in memory, so that a later download can go on with it.
    pub(crate) async fn flush(&mut self) -> Result<(), ClientError> {
        self.file.flush().await.map_err(at(&self.path))
    }

    /// The sha256 of what is there, in hexadecimal.
    pub(crate) fn sha256(&self) -> String {
        hex::encode(self.hasher.clone().finalize())
    }

    /// Gives the file its name, once it is safely on the disk.
    pub(crate) async fn keep_as(mut self, target: &Path) -> Result<(), ClientError> {
        self.flush().await?;
        self.file.sync_all().await.map_err(at(&self.path))?;
        fs::rename(&self.path, target).await.map_err(at(target))
    }

    /// Removes the file.
    pub(crate) async fn discard(self) -> Result<(), ClientError> {
        drop(self.file);
        fs::remove_file(&self.path).await.map_err(at(&self.path))
    }
}

/// The sha256 of a finished file; nothing if it is not there.
pub(crate) async fn sha256_of(path: &Path) -> Option<(String, u64)> {
    let mut file = File::open(path).await.ok()?;
    let (hasher, length) = hash(&mut file).await.ok()?;
    Some((hex::encode(hasher.finalize()), length))
}

async fn hash(file: &mut File) -> io::Result<(Sha256, u64)> {
    let mut hasher = Sha256::new();
    let mut length = 0;
    let mut buffer = vec![0; BUFFER];
    loop {
        let count = file.read(&mut buffer).await?;
        if count == 0 {
            return Ok((hasher, length));
        }
        hasher.update(&buffer[..count]);
        length += count as u64;
    }
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> ClientError + use<> {
    let path = path.to_owned();
    |source| ClientError::Write { path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_part_is_continued_and_renamed() {
        let directory = tempfile::tempdir().unwrap();
        let target = directory.path().join("x.img");
        let mut part = PartFile::open(&target).await.unwrap();
        part.append(b"ab").await.unwrap();
        part.flush().await.unwrap();
        drop(part);
        let mut part = PartFile::open(&target).await.unwrap();
        assert_eq!(part.length(), 2);
        part.append(b"c").await.unwrap();
        assert_eq!(part.sha256(), hex::encode(Sha256::digest(b"abc")));
        part.keep_as(&target).await.unwrap();
        assert_eq!(std::fs::read(&target).unwrap(), b"abc");
        assert!(!directory.path().join("x.img.part").exists());
        assert_eq!(sha256_of(&target).await.unwrap().1, 3);
    }

    #[tokio::test]
    async fn a_restarted_part_is_empty() {
        let directory = tempfile::tempdir().unwrap();
        let target = directory.path().join("x.img");
        let mut part = PartFile::open(&target).await.unwrap();
        part.append(b"old and long").await.unwrap();
        part.restart().await.unwrap();
        part.append(b"new").await.unwrap();
        part.keep_as(&target).await.unwrap();
        assert_eq!(std::fs::read(&target).unwrap(), b"new");
    }
}
