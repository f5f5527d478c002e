//! Files of a staged build, read in parts and digested on the way.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use sha2::{Digest, Sha256};

use crate::{bucket::error::BucketError, local_store::blocking};

/// A file on its way into the bucket; in memory is one part of it at a time.
#[derive(Debug)]
pub(crate) struct Source {
    file: File,
    digest: Sha256,
    /// How much was read.
    read: u64,
}

impl Source {
    /// Opens a file.
    pub(crate) async fn open(path: &Path) -> Result<Self, BucketError> {
        let path = path.to_owned();
        blocking(move || match File::open(&path) {
            Ok(file) => Ok(Self { file, digest: Sha256::new(), read: 0 }),
            Err(source) => Err(BucketError::Staged { path, source }),
        })
        .await
    }

    /// The next part, which is shorter than `size` at the end only.
    pub(crate) async fn part(mut self, path: &Path, size: u64) -> Result<(Self, Vec<u8>), BucketError> {
        let read = blocking(move || self.read_part(size).map(|part| (self, part))).await;
        read.map_err(|source| BucketError::Staged { path: path.to_owned(), source })
    }

    /// The length and the SHA-256 of what was read.
    pub(crate) fn finish(self) -> (u64, String) {
        (self.read, hex::encode(self.digest.finalize()))
    }

    fn read_part(&mut self, size: u64) -> io::Result<Vec<u8>> {
        let mut part = Vec::new();
        Read::by_ref(&mut self.file).take(size).read_to_end(&mut part)?;
        self.digest.update(&part);
        self.read += part.len() as u64;
        Ok(part)
    }
}
