//! The one place that talks to upstream: a request at a time per permit, bounded in time, size and redirects.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use reqwest::{
    Client, Response, StatusCode, Url,
    header::{self, HeaderMap, HeaderValue},
    redirect,
};
use tokio::{sync::Semaphore, time::Instant};

use crate::{
    config::Config,
    download::{Download, DownloadLimits},
    error::{FetchError, InvalidUpstream},
    health::FetchCounts,
};

const USER_AGENT: &str = concat!("asu/", env!("CARGO_PKG_VERSION"));

/// A mirror selector redirects once or twice.
const MAX_REDIRECTS: usize = 5;

/// Fetches files below one URL.
pub(crate) struct Fetcher {
    client: Client,
    base: String,
    max_size: u64,
    /// The longest that nothing may come in the middle of a download, whose whole takes longer than a fetch.
    patience: Duration,
    permits: Semaphore,
    counts: Counts,
    last_success: Mutex<Option<Instant>>,
}

/// What upstream said when a file was given, so that it can be asked whether that is still so.
#[derive(Debug, Clone, Default)]
pub(crate) struct Validators {
    etag: Option<HeaderValue>,
    last_modified: Option<HeaderValue>,
}

/// What came of asking for a file.
pub(crate) enum Fetched {
    /// The file.
    New { body: Bytes, validators: Validators },
    /// It is still what it was when the validators were given.
    Unchanged,
    /// There is no such file.
    Missing,
}

/// What became of a fetch, for the counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    New,
    Unchanged,
    Missing,
    Failed,
}

#[derive(Default)]
struct Counts {
    new: AtomicU64,
    unchanged: AtomicU64,
    missing: AtomicU64,
    failed: AtomicU64,
}

impl Fetcher {
    pub(crate) fn new(config: &Config) -> Result<Self, InvalidUpstream> {
        let client = Client::builder()
            .user_agent(USER_AGENT)
            .connect_timeout(config.upstream_connect_timeout.get())
            .timeout(config.upstream_timeout.get())
            .redirect(redirect::Policy::custom(follow))
            .build()
            .map_err(InvalidUpstream::Client)?;
        if config.upstream_max_connections == 0 {
            return Err(InvalidUpstream::Zero("upstream_max_connections"));
        }
        Ok(Self {
            client,
            base: base_url(config)?,
            max_size: config.upstream_max_size.get(),
            patience: config.upstream_timeout.get(),
            permits: Semaphore::new(config.upstream_max_connections),
            counts: Counts::default(),
            last_success: Mutex::new(None),
        })
    }

    /// Asks for a file, or, with validators, whether it changed.
    pub(crate) async fn fetch(&self, path: &str, known: &Validators) -> Result<Fetched, FetchError> {
        // Waiting for a permit is not part of the fetch's own time limit, which begins with the request.
        let _permit = self.permits.acquire().await.map_err(|_| FetchError::Interrupted)?;
        let request = self.client.get(format!("{}/{path}", self.base)).headers(known.conditions());
        let response = request.send().await.map_err(connection)?;
        match response.status() {
            StatusCode::OK => self.read(response).await,
            StatusCode::NOT_MODIFIED if known.are_some() => Ok(Fetched::Unchanged),
            StatusCode::NOT_FOUND | StatusCode::GONE => Ok(Fetched::Missing),
            status => Err(FetchError::Status(status)),
        }
    }

    /// Begins to read a large file; none if there is no such file. Downloads are few, and take no permit from fetches.
    pub(crate) async fn open(&self, path: &str, limits: DownloadLimits) -> Result<Option<Download>, FetchError> {
        let request = self.client.get(format!("{}/{path}", self.base)).timeout(limits.time);
        let answer = tokio::time::timeout(self.patience, request.send()).await;
        let response = answer.map_err(|_| FetchError::Stalled(self.patience))?.map_err(connection)?;
        match response.status() {
            StatusCode::OK => Download::of(response, limits.size, self.patience).map(Some),
            StatusCode::NOT_FOUND | StatusCode::GONE => Ok(None),
            status => Err(FetchError::Status(status)),
        }
    }

    /// Counts what came of a fetch, once its body was looked at.
    pub(crate) fn record(&self, outcome: Outcome) {
        let counter = match outcome {
            Outcome::New => &self.counts.new,
            Outcome::Unchanged => &self.counts.unchanged,
            Outcome::Missing => &self.counts.missing,
            Outcome::Failed => &self.counts.failed,
        };
        counter.fetch_add(1, Relaxed);
        if matches!(outcome, Outcome::New | Outcome::Unchanged) {
            *self.last_success.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        }
    }

    /// How long ago a file was last had.
    pub(crate) fn last_success(&self) -> Option<Duration> {
        self.last_success.lock().unwrap_or_else(PoisonError::into_inner).map(|then| then.elapsed())
    }

    pub(crate) fn counts(&self) -> FetchCounts {
        let Counts { new, unchanged, missing, failed } = &self.counts;
        let [new, unchanged, missing, failed] = [new, unchanged, missing, failed].map(|counter| counter.load(Relaxed));
        FetchCounts { new, unchanged, missing, failed }
    }

    /// Reads the body as it comes: what it says about its own length is believed only where it says too much.
    async fn read(&self, mut response: Response) -> Result<Fetched, FetchError> {
        let too_large = || FetchError::TooLarge { limit: self.max_size };
        if response.content_length().is_some_and(|length| length > self.max_size) {
            return Err(too_large());
        }
        let validators = Validators::of(response.headers());
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(connection)? {
            if (body.len() + chunk.len()) as u64 > self.max_size {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Fetched::New { body: body.freeze(), validators })
    }
}

impl Validators {
    fn of(headers: &HeaderMap) -> Self {
        Self { etag: headers.get(header::ETAG).cloned(), last_modified: headers.get(header::LAST_MODIFIED).cloned() }
    }

    fn are_some(&self) -> bool {
        self.etag.is_some() || self.last_modified.is_some()
    }

    fn conditions(&self) -> HeaderMap {
        let etag = self.etag.clone().map(|etag| (header::IF_NONE_MATCH, etag));
        let date = self.last_modified.clone().map(|date| (header::IF_MODIFIED_SINCE, date));
        etag.into_iter().chain(date).collect()
    }
}

/// The mirror and the URL may hold credentials, which no log should.
pub(crate) fn connection(error: reqwest::Error) -> FetchError {
    FetchError::Connection(error.without_url())
}

fn follow(attempt: redirect::Attempt<'_>) -> redirect::Action {
    let leaves_tls =
        attempt.previous().last().is_some_and(|url| url.scheme() == "https") && attempt.url().scheme() != "https";
    if leaves_tls {
        attempt.error("a redirect from https to http")
    } else if attempt.previous().len() > MAX_REDIRECTS {
        attempt.error("too many redirects")
    } else {
        attempt.follow()
    }
}

fn base_url(config: &Config) -> Result<String, InvalidUpstream> {
    let urls = [("upstream_url", &config.upstream_url), ("upstream_mirror_url", &config.upstream_mirror_url)];
    let chosen = if config.upstream_mirror_url.is_empty() { 0 } else { 1 };
    for (key, value) in urls.into_iter().take(chosen + 1) {
        let url = Url::parse(value).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        if url.is_none_or(|url| url.query().is_some() || url.fragment().is_some()) {
            return Err(InvalidUpstream::Url { key, value: value.clone() });
        }
    }
    Ok(urls[chosen].1.trim_end_matches('/').to_owned())
}
