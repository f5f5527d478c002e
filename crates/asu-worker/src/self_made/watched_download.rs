//! A download on its way into a container, and what has been seen of it.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
};

use asu_upstream::{Download, FetchError};
use bytes::Bytes;
use futures::{Stream, StreamExt};
use sha2::{Digest, Sha256};
use tokio::io::AsyncRead;
use tokio_util::io::StreamReader;

/// What has passed by. Whoever reads does not say why reading failed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Witness(Arc<Mutex<Seen>>);

#[derive(Debug, Default)]
struct Seen {
    hash: Sha256,
    fault: Option<FetchError>,
}

/// The download as something to read, and its witness.
pub(crate) fn watch(download: Download) -> (impl AsyncRead + Send + 'static, Witness) {
    let witness = Witness::default();
    (StreamReader::new(Box::pin(seen_by(witness.clone(), download.into_stream()))), witness)
}

fn seen_by(
    witness: Witness,
    pieces: impl Stream<Item = Result<Bytes, FetchError>> + Send,
) -> impl Stream<Item = io::Result<Bytes>> + Send {
    pieces.map(move |piece| {
        let mut seen = witness.0.lock().unwrap_or_else(PoisonError::into_inner);
        match piece {
            Ok(bytes) => {
                seen.hash.update(&bytes);
                Ok(bytes)
            }
            Err(fault) => {
                seen.fault = Some(fault);
                Err(io::Error::other("the download failed"))
            }
        }
    })
}

impl Witness {
    /// Why the download failed, if it did.
    pub(crate) fn fault(&self) -> Option<FetchError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fault.take()
    }

    /// The SHA-256 of what has passed by, in hexadecimal digits.
    pub(crate) fn sha256(&self) -> String {
        hex::encode(self.0.lock().unwrap_or_else(PoisonError::into_inner).hash.clone().finalize())
    }
}
