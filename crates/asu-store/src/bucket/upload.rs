//! One file into the bucket, and a look at what arrived.

use std::path::Path as FilePath;

use object_store::{
    Attribute, AttributeValue, Attributes, MultipartUpload, ObjectStore, ObjectStoreExt, PutMultipartOptions,
    PutOptions, path::Path,
};
use sha2::{Digest, Sha256};

use crate::bucket::{client::Client, error::BucketError, marker::Uploaded, source::Source};

/// How files are uploaded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Manner {
    /// Larger files go in parts of this size, in bytes.
    pub(crate) part_size: u64,
    /// Whether files are read again.
    pub(crate) read_back: bool,
}

/// Uploads a staged file as `key` and makes sure that it is there.
pub(crate) async fn upload(
    client: &Client,
    manner: Manner,
    key: &Path,
    name: &str,
    file: &FilePath,
) -> Result<Uploaded, BucketError> {
    let (source, first) = Source::open(file).await?.part(file, manner.part_size).await?;
    let is_whole = (first.len() as u64) < manner.part_size;
    let (size, sha256) = if is_whole {
        let attributes = attributes(name);
        client.s3.put_opts(key, first.into(), PutOptions { attributes, ..PutOptions::default() }).await?;
        source.finish()
    } else {
        upload_in_parts(client, manner, key, name, file, (source, first)).await?
    };
    let uploaded = Uploaded { name: name.to_owned(), size, sha256 };
    verify(client, manner, key, &uploaded).await?;
    Ok(uploaded)
}

/// What was begun and does not come to an end is thrown away by the server; it would be paid for otherwise.
async fn upload_in_parts(
    client: &Client,
    manner: Manner,
    key: &Path,
    name: &str,
    file: &FilePath,
    begun: (Source, Vec<u8>),
) -> Result<(u64, String), BucketError> {
    let options = PutMultipartOptions { attributes: attributes(name), ..PutMultipartOptions::default() };
    let mut upload = client.s3.put_multipart_opts(key, options).await?;
    let sent = send_parts(&mut *upload, manner, file, begun).await;
    if sent.is_err()
        && let Err(error) = upload.abort().await
    {
        tracing::warn!(%key, %error, "a part of a file stays in the bucket, where nobody sees it");
    }
    sent
}

async fn send_parts(
    upload: &mut dyn MultipartUpload,
    manner: Manner,
    file: &FilePath,
    (mut source, mut part): (Source, Vec<u8>),
) -> Result<(u64, String), BucketError> {
    while !part.is_empty() {
        upload.put_part(part.into()).await?;
        (source, part) = source.part(file, manner.part_size).await?;
    }
    upload.complete().await?;
    Ok(source.finish())
}

/// The signature of each request covers the digest of its body, so that a server takes nothing that was damaged on its
/// way. What it made of it is seen only by reading it.
async fn verify(client: &Client, manner: Manner, key: &Path, sent: &Uploaded) -> Result<(), BucketError> {
    let damaged = |found: String, sent: String| Err(BucketError::Damaged { key: key.to_string(), found, sent });
    let length = client.s3.head(key).await?.size;
    if length != sent.size {
        return damaged(format!("{length} bytes"), format!("{} bytes", sent.size));
    }
    if manner.read_back {
        let found = digest(client, manner, key, length).await?;
        if found != sent.sha256 {
            return damaged(found, sent.sha256.clone());
        }
    }
    Ok(())
}

/// The SHA-256 of what is there, read in parts.
async fn digest(client: &Client, manner: Manner, key: &Path, length: u64) -> Result<String, BucketError> {
    let mut digest = Sha256::new();
    let mut at = 0;
    while at < length {
        let end = length.min(at + manner.part_size);
        let part = client.s3.get_range(key, at..end).await?;
        digest = crate::local_store::blocking(move || digest.chain_update(&part)).await;
        at = end;
    }
    Ok(hex::encode(digest.finalize()))
}

/// What a browser is told of the file, wherever it gets it.
fn attributes(name: &str) -> Attributes {
    let file = name.rsplit('/').next().unwrap_or(name);
    let is_plain = file.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"\\".contains(&byte));
    let disposition = if is_plain { format!("attachment; filename=\"{file}\"") } else { "attachment".to_owned() };
    let pairs: [(Attribute, AttributeValue); 3] = [
        (Attribute::ContentType, "application/octet-stream".into()),
        (Attribute::ContentDisposition, disposition.into()),
        (Attribute::CacheControl, "public, max-age=86400, immutable".into()),
    ];
    Attributes::from_iter(pairs)
}
