//! The settings of the store.

use std::path::PathBuf;

use asu_config::DurationSetting;
use asu_config::{ByteSize, Secret};
use serde::Deserialize;
use url::Url;

/// Where images are kept; the fields are named as the keys in `asu.example.toml`.
#[derive(Debug, Clone, Deserialize)]
pub struct Config {
    /// The directory that holds `store/`.
    pub public_path: PathBuf,
    /// Below this much free space nothing new is made.
    pub store_min_free: ByteSize,
    /// What kind of place it is.
    pub store_backend: BackendKind,
    /// The name of the bucket.
    pub s3_bucket: String,
    /// What the names of all objects begin with, without slashes at its ends; empty for nothing.
    pub s3_prefix: String,
    /// The server; empty for Amazon's own.
    pub s3_endpoint: String,
    /// Its region; empty for that of the environment or `us-east-1`.
    pub s3_region: String,
    /// The name of the account; empty for what the environment or the machine gives.
    pub s3_access_key: String,
    /// Its key.
    pub s3_secret_key: Secret,
    /// The bucket is a part of the path, not of the host name.
    pub s3_path_style: bool,
    /// Where anybody can read what is below the prefix; empty for presigned URLs.
    pub s3_public_url: String,
    /// How long presigned URLs are valid.
    pub s3_presign_for: DurationSetting,
    /// Where builds are staged before they are uploaded; empty for `staging/` below `public_path`.
    pub s3_staging_path: PathBuf,
    /// The size of the parts of large files.
    pub s3_part_size: ByteSize,
    /// The most files of a build that are uploaded at the same time.
    pub s3_parallel_uploads: usize,
    /// Whether what was uploaded is read again.
    pub s3_read_back: bool,
    /// The longest that one try of a request may take.
    pub s3_timeout: DurationSetting,
    /// The longest that connecting may take.
    pub s3_connect_timeout: DurationSetting,
    /// How often a request is tried again.
    pub s3_retries: usize,
    /// How long after its first try a request is tried again.
    pub s3_retry_for: DurationSetting,
    /// The longest that looking for a file may take with all tries.
    pub s3_lookup_timeout: DurationSetting,
    /// How long a file that was there is believed to be there.
    pub s3_lookup_ttl: DurationSetting,
    /// How long a bucket that worked is believed to work.
    pub s3_check_interval: DurationSetting,
}

/// The kinds of places for finished builds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BackendKind {
    /// A directory of this machine, or one that machines share.
    Local,
    /// A bucket of a server that speaks S3.
    S3,
}

/// Settings of the store that contradict each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidConfig(&'static str);

/// The sizes of parts that S3 takes.
const PART_SIZES: std::ops::RangeInclusive<u64> = (5 << 20)..=(5 << 30);

/// The longest that a presigned URL may be valid.
const LONGEST_PRESIGN: u64 = 7 * 24 * 3600;

impl Config {
    /// Looks for settings that contradict each other.
    ///
    /// # Errors
    /// The first that do, in a sentence.
    pub fn validate(&self) -> Result<(), InvalidConfig> {
        match self.store_backend {
            BackendKind::Local => Ok(()),
            BackendKind::S3 => self.validate_bucket(),
        }
    }

    /// Where builds are staged that go to a bucket.
    pub fn staging_path(&self) -> PathBuf {
        if self.s3_staging_path.as_os_str().is_empty() {
            self.public_path.join("staging")
        } else {
            self.s3_staging_path.clone()
        }
    }

    fn validate_bucket(&self) -> Result<(), InvalidConfig> {
        let presign = self.s3_presign_for.get().as_secs();
        let rules = [
            (is_bucket(&self.s3_bucket), "store_backend is \"s3\", so s3_bucket must be the name of a bucket"),
            (
                self.s3_access_key.is_empty() == self.s3_secret_key.is_empty(),
                "s3_access_key and s3_secret_key must both be set, or neither",
            ),
            (is_prefix(&self.s3_prefix), "s3_prefix must be names with single slashes between them, or empty"),
            (self.s3_endpoint.is_empty() || is_http(&self.s3_endpoint), "s3_endpoint must be an http or https URL"),
            (
                self.s3_public_url.is_empty() || is_http(&self.s3_public_url),
                "s3_public_url must be an http or https URL",
            ),
            (PART_SIZES.contains(&self.s3_part_size.get()), "s3_part_size must be from 5MiB to 5GiB"),
            (self.s3_parallel_uploads > 0, "s3_parallel_uploads must be at least 1"),
            (!self.s3_timeout.get().is_zero(), "s3_timeout must be longer than nothing"),
            (!self.s3_connect_timeout.get().is_zero(), "s3_connect_timeout must be longer than nothing"),
            (!self.s3_lookup_timeout.get().is_zero(), "s3_lookup_timeout must be longer than nothing"),
            (
                !self.s3_public_url.is_empty() || (1..=LONGEST_PRESIGN).contains(&presign),
                "s3_presign_for must be from 1s to 7d while s3_public_url is empty",
            ),
        ];
        rules.into_iter().find(|(kept, _)| !kept).map_or(Ok(()), |(_, sentence)| Err(InvalidConfig(sentence)))
    }
}

fn is_http(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.query().is_none())
}

fn is_bucket(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
}

/// Names that mean the same to every server and in every URL.
fn is_prefix(prefix: &str) -> bool {
    prefix.is_empty()
        || prefix.split('/').all(|name| {
            !matches!(name, "" | "." | "..")
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
        })
}

#[cfg(test)]
mod tests {
    use asu_config::Settings;

    use super::*;

    fn check(settings: &[(&str, &str)], expected: Result<(), &str>) {
        let all = settings.iter().fold(Settings::defaults(), |all, (key, value)| all.with(key, *value));
        let found = all.section::<Config>().unwrap().validate().map_err(|error| error.to_string());
        assert_eq!(found, expected.map_err(str::to_owned), "{settings:?}");
    }

    #[test]
    fn a_bucket_needs_a_name_and_both_keys_or_none() {
        check(&[], Ok(()));
        let s3 = ("store_backend", "s3");
        check(&[s3], Ok(()));
        check(&[s3, ("s3_access_key", "a"), ("s3_secret_key", "b"), ("s3_prefix", "a/b.c")], Ok(()));
        let keys = "s3_access_key and s3_secret_key must both be set, or neither";
        check(&[s3, ("s3_access_key", "a")], Err(keys));
        check(&[s3, ("s3_secret_key", "a")], Err(keys));
        let bucket = "store_backend is \"s3\", so s3_bucket must be the name of a bucket";
        check(&[s3, ("s3_bucket", "")], Err(bucket));
        check(&[s3, ("s3_bucket", "s3://x")], Err(bucket));
        for prefix in ["/a", "a/", "a//b", "..", "a b"] {
            let sentence = "s3_prefix must be names with single slashes between them, or empty";
            check(&[s3, ("s3_prefix", prefix)], Err(sentence));
        }
    }

    #[test]
    fn what_s3_does_not_take_is_refused_before_the_start() {
        for (key, value, sentence) in [
            ("s3_part_size", "1MiB", "s3_part_size must be from 5MiB to 5GiB"),
            ("s3_presign_for", "8d", "s3_presign_for must be from 1s to 7d while s3_public_url is empty"),
            ("s3_endpoint", "minio:9000", "s3_endpoint must be an http or https URL"),
            ("s3_public_url", "ftp://x", "s3_public_url must be an http or https URL"),
        ] {
            check(&[("store_backend", "s3"), (key, value)], Err(sentence));
            // Nobody looks at them while the store is a directory.
            check(&[(key, value)], Ok(()));
        }
    }

    #[test]
    fn the_key_is_a_secret() {
        let settings = Settings::defaults().with("s3_secret_key", "hunter2");
        assert!(!format!("{:?}", settings.section::<Config>().unwrap()).contains("hunter2"));
    }
}
