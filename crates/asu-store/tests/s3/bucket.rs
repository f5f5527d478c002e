//! An S3 server, a store in its bucket, and builds to put into it.

use std::{
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};

use asu_config::Settings;
use asu_store::{Access, BinDir, FileName, Opened, Redirect, Staging, Store, StoreError};
use asu_test_support::S3Server;
use reqwest::Response;
use tempfile::TempDir;

/// The object that makes a build visible.
pub(crate) const MARKER: &str = ".asu-published.json";

pub(crate) struct Bucket {
    pub(crate) server: S3Server,
    pub(crate) store: Store,
    pub(crate) directory: TempDir,
}

impl Bucket {
    pub(crate) async fn new() -> Self {
        Self::with(&[]).await
    }

    /// With other settings than these: nothing is remembered, and what fails fails soon.
    pub(crate) async fn with(settings: &[(&str, &str)]) -> Self {
        let (server, directory) = (S3Server::start().await, TempDir::new().unwrap());
        let store = open(&server, &directory, settings).await;
        Self { server, store, directory }
    }

    /// A staged build of these files.
    pub(crate) async fn stage(&self, bin_dir: &BinDir, files: &[(&str, &[u8])]) -> Staging {
        let staging = self.store.begin(bin_dir).await.unwrap();
        for (name, content) in files {
            let path = staging.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        staging
    }

    pub(crate) async fn publish(&self, bin_dir: &BinDir, files: &[(&str, &[u8])]) -> Result<(), StoreError> {
        self.stage(bin_dir, files).await.publish().await
    }

    /// Where the file is, for whoever wants to do this with it.
    pub(crate) async fn find(&self, bin_dir: &BinDir, file: &str, access: Access) -> Option<Redirect> {
        let found = self.store.open_file(bin_dir, &FileName::parse(file).unwrap(), access).await.unwrap();
        found.map(|opened| match opened {
            Opened::Redirect(redirect) => redirect,
            Opened::File(_) => panic!("a bucket has no open files"),
        })
    }

    pub(crate) async fn get(&self, bin_dir: &BinDir, file: &str) -> Option<Response> {
        let redirect = self.find(bin_dir, file, Access::Get).await?;
        Some(reqwest::get(redirect.url).await.unwrap())
    }

    pub(crate) async fn read(&self, bin_dir: &BinDir, file: &str) -> Option<Vec<u8>> {
        let response = self.get(bin_dir, file).await?;
        assert_eq!(response.status(), 200);
        Some(response.bytes().await.unwrap().to_vec())
    }

    /// The file behind an object.
    pub(crate) fn object(&self, bin_dir: &BinDir, file: &str) -> PathBuf {
        self.server.bucket().join("asu/images").join(bin_dir.as_str()).join(file)
    }

    /// Nothing of any build is left in the bucket, and soon nothing on our disk.
    pub(crate) async fn is_clean(&self) {
        assert_eq!(self.server.objects(), Vec::<String>::new());
        assert_eq!(self.server.loose_parts(), 0, "begun uploads are left");
        eventually("the staging directory is gone", || {
            fs::read_dir(self.directory.path().join("staging")).unwrap().count() == 0
        })
        .await;
    }
}

/// A store in the bucket of this server.
pub(crate) async fn open(server: &S3Server, directory: &TempDir, extra: &[(&str, &str)]) -> Store {
    let mut settings = Settings::defaults()
        .with("public_path", directory.path().to_str().unwrap())
        .with("store_min_free", 0)
        .with("s3_prefix", "asu/images")
        .with("s3_lookup_ttl", "0s")
        .with("s3_check_interval", "0s")
        // More than a busy machine needs for a try, so that only what a test breaks is broken.
        .with("s3_lookup_timeout", "60s");
    for (key, value) in server.settings() {
        settings = settings.with(&key, value);
    }
    for (key, value) in extra {
        settings = match (value.parse::<i64>(), value.parse::<bool>()) {
            (Ok(number), _) => settings.with(key, number),
            (_, Ok(truth)) => settings.with(key, truth),
            _ => settings.with(key, *value),
        };
    }
    Store::open(&settings.section().unwrap()).await.unwrap()
}

pub(crate) fn bin_dir(number: u32) -> BinDir {
    BinDir::new(&format!("{number:064x}"), "0123456789abcdef").unwrap()
}

/// Bytes that are not all the same.
pub(crate) fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|at| u8::try_from(at % 251).unwrap()).collect()
}

/// An error with all its causes.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// Waits until something is so, at most a minute.
pub(crate) async fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < Duration::from_secs(60), "still not so after a minute: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
