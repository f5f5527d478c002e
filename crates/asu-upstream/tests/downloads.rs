//! Files that are read once: small ones whole, large ones as they come.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::time::Duration;

use asu_config::Settings;
use asu_core::Distro;
use asu_test_support::{Behaviour, FakeUpstream};
use asu_upstream::{Config, DownloadLimits, Downloads, FetchError};
use futures::TryStreamExt;

const FILE: &str = "a/large/file";
const LIMITS: DownloadLimits = DownloadLimits { size: 1_000_000, time: Duration::from_secs(60) };

fn downloads(settings: &Settings) -> Downloads {
    Downloads::of(&settings.section::<Config>().unwrap(), &Distro::openwrt()).unwrap().unwrap()
}

async fn read(downloads: &Downloads, limits: DownloadLimits) -> Result<Option<Vec<u8>>, FetchError> {
    let Some(download) = downloads.open(FILE, limits).await? else { return Ok(None) };
    let size = download.size();
    let pieces: Vec<_> = download.into_stream().try_collect().await?;
    let content = pieces.concat();
    assert_eq!(content.len() as u64, size);
    Ok(Some(content))
}

#[tokio::test]
async fn a_file_is_read_or_is_not_there() {
    let upstream = FakeUpstream::start().await;
    upstream.put(FILE, vec![7; 300_000]);
    let downloads = downloads(&common::settings(&upstream));
    assert_eq!(read(&downloads, LIMITS).await.unwrap(), Some(vec![7; 300_000]));
    assert_eq!(downloads.small(FILE).await.unwrap().unwrap().len(), 300_000);
    upstream.remove(FILE);
    assert_eq!(read(&downloads, LIMITS).await.unwrap(), None);
    assert_eq!(downloads.small(FILE).await.unwrap(), None);
}

#[tokio::test]
async fn whatever_is_wrong_with_a_file_is_an_error() {
    let upstream = FakeUpstream::start().await;
    upstream.put(FILE, vec![7; 300_000]);
    let downloads = downloads(&common::settings(&upstream));
    let small = DownloadLimits { size: 299_999, ..LIMITS };
    assert!(matches!(read(&downloads, small).await, Err(FetchError::TooLarge { limit: 299_999 })));
    for (behaviour, expected) in [
        (Behaviour::Status(503), "upstream answered 503 Service Unavailable"),
        (Behaviour::Truncated, "the connection to upstream failed or took too long"),
        (Behaviour::Endless, "upstream does not say how large the file is"),
    ] {
        upstream.set(FILE, behaviour);
        assert_eq!(read(&downloads, LIMITS).await.unwrap_err().to_string(), expected);
    }
}

#[tokio::test]
async fn an_upstream_that_stalls_is_given_up() {
    let upstream = FakeUpstream::start().await;
    upstream.set(FILE, Behaviour::Hang);
    let downloads = downloads(&common::settings(&upstream).with("upstream_timeout", "300ms"));
    let limit = Duration::from_millis(300);
    assert!(matches!(read(&downloads, LIMITS).await, Err(FetchError::Stalled(stalled)) if stalled == limit));
}

#[tokio::test]
async fn each_distribution_has_an_upstream_of_its_own() {
    let (openwrt, other) = (FakeUpstream::start().await, FakeUpstream::start().await);
    other.put(FILE, "the other's");
    let distros = toml::Table::from_iter([(
        "other".to_owned(),
        toml::Value::from(toml::Table::from_iter([("upstream_url".to_owned(), other.url().into())])),
    )]);
    let config: Config = common::settings(&openwrt).with("distros", distros).section().unwrap();
    let of = |name: &str| Downloads::of(&config, &Distro::parse(name).unwrap()).unwrap();
    assert_eq!(of("other").unwrap().small(FILE).await.unwrap().unwrap(), "the other's");
    assert_eq!(of("openwrt").unwrap().small(FILE).await.unwrap(), None);
    assert!(of("third").is_none());
}
