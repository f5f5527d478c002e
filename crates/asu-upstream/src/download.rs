//! A large file that is read as it comes, and never held.

use std::time::Duration;

use bytes::Bytes;
use futures::{Stream, stream};
use reqwest::Response;
use tokio::time::timeout;

use crate::{error::FetchError, fetcher::connection};

/// What a download may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DownloadLimits {
    /// The largest file, in bytes.
    pub size: u64,
    /// From the first byte sent to the last one received.
    pub time: Duration,
}

/// A file whose beginning has arrived.
#[derive(Debug)]
pub struct Download {
    response: Response,
    size: u64,
    patience: Duration,
}

impl Download {
    pub(crate) fn of(response: Response, limit: u64, patience: Duration) -> Result<Self, FetchError> {
        match response.content_length() {
            Some(size) if size > limit => Err(FetchError::TooLarge { limit }),
            Some(size) => Ok(Self { response, size, patience }),
            None => Err(FetchError::NoLength),
        }
    }

    /// How many bytes it has; fewer are an error of the stream, more do not come.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Its content; ends after the first error.
    pub fn into_stream(self) -> impl Stream<Item = Result<Bytes, FetchError>> + Send + 'static {
        stream::try_unfold(
            self,
            |mut download| async move { Ok(download.chunk().await?.map(|chunk| (chunk, download))) },
        )
    }

    async fn chunk(&mut self) -> Result<Option<Bytes>, FetchError> {
        let chunk = timeout(self.patience, self.response.chunk()).await;
        chunk.map_err(|_| FetchError::Stalled(self.patience))?.map_err(connection)
    }
}
