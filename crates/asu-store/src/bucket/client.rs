//! The client of the bucket, and where things lie in it.

use std::time::Duration;

use object_store::{
    BackoffConfig, ClientOptions, ObjectStoreExt, RetryConfig,
    aws::{AmazonS3, AmazonS3Builder, Checksum},
    path::Path,
};
use url::Url;

use crate::{bin_dir::BinDir, bucket::error::BucketError, config::Config, entry_name::PROBE};

/// The region that servers without regions believe to be in.
const DEFAULT_REGION: &str = "us-east-1";
/// Between the first two tries of a request, and between the last ones.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// The bucket, as far as it is ours.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) s3: AmazonS3,
    prefix: String,
    place: String,
    lookup_timeout: Duration,
}

impl Client {
    /// Nothing is sent yet.
    pub(crate) fn new(config: &Config) -> Result<Self, BucketError> {
        let s3 = builder(config).build().map_err(|error| BucketError::Settings(error.to_string()))?;
        let place = format!("s3://{}/{}", config.s3_bucket, config.s3_prefix);
        let (prefix, lookup_timeout) = (config.s3_prefix.clone(), config.s3_lookup_timeout.get());
        Ok(Self { s3, prefix, place: place.trim_end_matches('/').to_owned(), lookup_timeout })
    }

    /// What people call it.
    pub(crate) fn place(&self) -> &str {
        &self.place
    }

    /// Where all of ours lies.
    pub(crate) fn root(&self) -> Path {
        Path::from(self.prefix.as_str())
    }

    /// Where all of a build lies.
    pub(crate) fn directory(&self, bin_dir: &BinDir) -> Path {
        self.root().join(bin_dir.as_str())
    }

    /// Where a file of a build lies, by its path within the build.
    pub(crate) fn key(&self, bin_dir: &BinDir, name: &str) -> Result<Path, BucketError> {
        // Not joined part by part, which would replace letters that ImageBuilder uses.
        Path::parse(format!("{}/{name}", self.directory(bin_dir)))
            .map_err(|_| BucketError::Name { name: name.to_owned() })
    }

    /// An object that means nothing, to see whether objects can be written and asked for.
    pub(crate) fn probe_key(&self) -> Path {
        self.root().join(PROBE)
    }

    /// True if there is such an object.
    pub(crate) async fn holds(&self, key: &Path) -> Result<bool, BucketError> {
        match self.in_time(self.s3.head(key)).await {
            Ok(_) => Ok(true),
            Err(BucketError::Request(object_store::Error::NotFound { .. })) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Somebody waits for the answer.
    pub(crate) async fn in_time<T>(
        &self,
        request: impl Future<Output = object_store::Result<T>>,
    ) -> Result<T, BucketError> {
        match tokio::time::timeout(self.lookup_timeout, request).await {
            Ok(answer) => Ok(answer?),
            Err(_elapsed) => Err(BucketError::Slow { limit: self.lookup_timeout }),
        }
    }
}

/// With no keys in the settings, credentials are what Amazon's own tools would take: variables, tokens of a cluster, the
/// role of the machine.
fn builder(config: &Config) -> AmazonS3Builder {
    let keyless = config.s3_access_key.is_empty();
    let mut builder = if keyless { AmazonS3Builder::from_env() } else { AmazonS3Builder::new() };
    if !keyless {
        builder =
            builder.with_access_key_id(&config.s3_access_key).with_secret_access_key(config.s3_secret_key.expose());
    }
    if !config.s3_region.is_empty() {
        builder = builder.with_region(&config.s3_region);
    } else if builder.get_config_value(&object_store::aws::AmazonS3ConfigKey::Region).is_none() {
        builder = builder.with_region(DEFAULT_REGION);
    }
    if !config.s3_endpoint.is_empty() {
        builder = builder.with_endpoint(endpoint(config)).with_allow_http(config.s3_endpoint.starts_with("http://"));
    }
    builder
        .with_bucket_name(&config.s3_bucket)
        .with_virtual_hosted_style_request(!config.s3_path_style)
        // The server refuses what does not arrive as it was sent.
        .with_checksum_algorithm(Checksum::SHA256)
        // Not every server can delete many at once, and builds have few files.
        .with_disable_bulk_delete(true)
        .with_retry(retry(config))
        .with_client_options(options(config))
}

/// A bucket that is a part of the host name is one of the endpoint, too.
fn endpoint(config: &Config) -> String {
    let plain = config.s3_endpoint.trim_end_matches('/').to_owned();
    if config.s3_path_style {
        return plain;
    }
    let Ok(mut url) = Url::parse(&plain) else { return plain };
    let host = url.host_str().map(|host| format!("{}.{host}", config.s3_bucket));
    match url.set_host(host.as_deref()) {
        Ok(()) => url.to_string().trim_end_matches('/').to_owned(),
        Err(_) => plain,
    }
}

fn retry(config: &Config) -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig { init_backoff: FIRST_PAUSE, max_backoff: LONGEST_PAUSE, base: 2.0 },
        max_retries: config.s3_retries,
        retry_timeout: config.s3_retry_for.get(),
    }
}

fn options(config: &Config) -> ClientOptions {
    ClientOptions::new()
        .with_timeout(config.s3_timeout.get())
        .with_connect_timeout(config.s3_connect_timeout.get())
        .with_allow_http(config.s3_endpoint.starts_with("http://"))
}
