//! Files on their way into a container, as a tar stream that is never whole in memory.

use std::{io, pin::Pin};

use bytes::{Bytes, BytesMut};
use futures::{
    Stream, StreamExt, TryStreamExt,
    stream::{self, BoxStream},
};
use tar::{EntryType, Header};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio_util::io::ReaderStream;

/// The size of a block of a tar archive.
const BLOCK: u64 = 512;
/// How much of a file is read at a time.
const CHUNK: usize = 64 * 1024;

/// Who owns a file in the container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    /// The user's number.
    pub uid: u32,
    /// The group's number.
    pub gid: u32,
}

/// A path that leaves the directory it is put into, or is too long.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a relative path of a file")]
pub struct BadPath(String);

/// Files and directories to put into a container, all of one owner. Directories that are missing and not named belong
/// to root, because Podman makes them.
#[derive(Debug)]
pub struct Files {
    owner: Owner,
    entries: Vec<Entry>,
}

struct Entry {
    header: Header,
    content: Content,
}

enum Content {
    Bytes(Bytes),
    Reader(u64, Pin<Box<dyn AsyncRead + Send>>),
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Entry").field(&self.header.path_bytes()).finish()
    }
}

impl Files {
    /// No files yet.
    pub fn owned_by(owner: Owner) -> Self {
        Self { owner, entries: Vec::new() }
    }

    /// A directory. One that exists gets this owner and mode.
    ///
    /// # Errors
    /// The path is not relative.
    pub fn directory(self, path: &str, mode: u32) -> Result<Self, BadPath> {
        self.entry(path, EntryType::Directory, mode, Content::Bytes(Bytes::new()))
    }

    /// A small file.
    ///
    /// # Errors
    /// The path is not relative.
    pub fn file(self, path: &str, mode: u32, content: impl Into<Bytes>) -> Result<Self, BadPath> {
        self.entry(path, EntryType::Regular, mode, Content::Bytes(content.into()))
    }

    /// A file of this size that is read while it is sent.
    ///
    /// # Errors
    /// The path is not relative.
    pub fn reader(
        self,
        path: &str,
        mode: u32,
        size: u64,
        reader: impl AsyncRead + Send + 'static,
    ) -> Result<Self, BadPath> {
        self.entry(path, EntryType::Regular, mode, Content::Reader(size, Box::pin(reader)))
    }

    fn entry(mut self, path: &str, kind: EntryType, mode: u32, content: Content) -> Result<Self, BadPath> {
        let bad = || BadPath(path.to_owned());
        if !path.split('/').all(|part| !matches!(part, "" | "." | "..")) {
            return Err(bad());
        }
        let mut header = Header::new_ustar();
        header.set_path(path).map_err(|_| bad())?;
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_uid(self.owner.uid.into());
        header.set_gid(self.owner.gid.into());
        header.set_mtime(0);
        header.set_size(content.size());
        header.set_cksum();
        self.entries.push(Entry { header, content });
        Ok(self)
    }

    /// The archive.
    pub(crate) fn into_tar(self) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
        let end = stream::iter([Ok(zeros(2 * BLOCK))]);
        stream::iter(self.entries).flat_map(Entry::into_tar).chain(end)
    }
}

impl Entry {
    fn into_tar(self) -> BoxStream<'static, io::Result<Bytes>> {
        let size = self.content.size();
        let header = Bytes::copy_from_slice(self.header.as_bytes());
        let padding = zeros(size.next_multiple_of(BLOCK) - size);
        let content = match self.content {
            Content::Bytes(bytes) => stream::iter([Ok(bytes)]).boxed(),
            Content::Reader(size, reader) => exactly(size, reader).boxed(),
        };
        stream::iter([Ok(header)]).chain(content).chain(stream::iter([Ok(padding)])).boxed()
    }
}

impl Content {
    fn size(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Reader(size, _) => *size,
        }
    }
}

/// As many bytes as the header promises: a shorter file would shift everything behind it.
fn exactly(size: u64, reader: Pin<Box<dyn AsyncRead + Send>>) -> impl Stream<Item = io::Result<Bytes>> + Send {
    let chunks = ReaderStream::with_capacity(reader.take(size), CHUNK);
    let chunks = chunks.map_ok(Some).chain(stream::iter([Ok(None)]));
    let counted = chunks.scan(size, |left, chunk| {
        let chunk = chunk.and_then(|chunk| match chunk {
            Some(bytes) => {
                *left -= bytes.len() as u64;
                Ok(bytes)
            }
            None if *left > 0 => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file became shorter")),
            None => Ok(Bytes::new()),
        });
        std::future::ready(Some(chunk))
    });
    counted.try_filter(|bytes| std::future::ready(!bytes.is_empty()))
}

fn zeros(size: u64) -> Bytes {
    BytesMut::zeroed(usize::try_from(size).expect("two blocks at most")).freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWNER: Owner = Owner { uid: 1000, gid: 1001 };

    async fn tar(files: Files) -> io::Result<Vec<u8>> {
        files
            .into_tar()
            .try_fold(Vec::new(), async |mut all, chunk| {
                all.extend_from_slice(&chunk);
                Ok(all)
            })
            .await
    }

    #[tokio::test]
    async fn files_become_an_archive_that_names_their_owner() {
        let files = Files::owned_by(OWNER).directory("d", 0o750).unwrap();
        let files = files.file("d/small", 0o600, "abc").unwrap().reader("big", 0o644, 1000, &[7u8; 1000][..]).unwrap();
        let bytes = tar(files).await.unwrap();
        assert_eq!(bytes.len() % 512, 0);
        let mut archive = tar::Archive::new(&bytes[..]);
        let seen: Vec<_> = archive
            .entries()
            .unwrap()
            .map(|entry| {
                let entry = entry.unwrap();
                let header = entry.header();
                assert_eq!((header.uid().unwrap(), header.gid().unwrap()), (1000, 1001));
                (entry.path().unwrap().display().to_string(), header.mode().unwrap(), entry.size())
            })
            .collect();
        assert_eq!(
            seen,
            [("d".to_owned(), 0o750, 0), ("d/small".to_owned(), 0o600, 3), ("big".to_owned(), 0o644, 1000)]
        );
    }

    #[tokio::test]
    async fn a_file_that_is_shorter_than_promised_is_an_error() {
        let files = Files::owned_by(OWNER).reader("f", 0o644, 9, &b"abc"[..]).unwrap();
        assert_eq!(tar(files).await.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        let files = Files::owned_by(OWNER).reader("f", 0o644, 2, &b"abc"[..]).unwrap();
        assert_eq!(&tar(files).await.unwrap()[512..515], b"ab\0");
    }

    #[test]
    fn paths_stay_in_their_directory() {
        for path in ["", "/a", "../a", "a/../b", "a//b", "a/", "./a", &"a".repeat(300)] {
            assert!(Files::owned_by(OWNER).file(path, 0o644, "").is_err(), "{path}");
        }
    }
}
