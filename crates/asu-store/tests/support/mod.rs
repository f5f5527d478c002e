//! A store in a directory of its own, and builds to put into it.
#![allow(dead_code, unreachable_pub, reason = "each test file uses a part of it")]

use std::{
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};

use asu_config::Settings;
use asu_store::{Access, BinDir, Config, FileName, Opened, Store, StoredFile};
use tempfile::TempDir;
use tokio::io::AsyncReadExt;

pub struct TestStore {
    pub store: Store,
    pub directory: TempDir,
}

impl TestStore {
    pub async fn new() -> Self {
        let directory = TempDir::new().unwrap();
        Self { store: open(directory.path().to_str().unwrap(), 0).await, directory }
    }

    pub fn path(&self) -> PathBuf {
        self.directory.path().join("store")
    }

    /// The names in the store's directory, sorted.
    pub fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path()).unwrap();
        let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Publishes a build with these files.
    pub async fn publish(&self, bin_dir: &BinDir, files: &[(&str, &str)]) {
        let staging = self.store.begin(bin_dir).await.unwrap();
        for (name, content) in files {
            fs::write(staging.path().join(name), content).unwrap();
        }
        staging.publish().await.unwrap();
    }

    pub async fn read(&self, bin_dir: &BinDir, file: &str) -> Option<String> {
        let mut found = self.find(bin_dir, file).await?;
        let mut content = String::new();
        found.file.read_to_string(&mut content).await.unwrap();
        assert_eq!(found.length, content.len() as u64);
        Some(content)
    }

    pub async fn find(&self, bin_dir: &BinDir, file: &str) -> Option<StoredFile> {
        match self.store.open_file(bin_dir, &FileName::parse(file).unwrap(), Access::Get).await.unwrap()? {
            Opened::File(file) => Some(file),
            Opened::Redirect(there) => panic!("a local store does not redirect, but did to {there:?}"),
        }
    }
}

pub async fn open(public_path: &str, min_free: i64) -> Store {
    let settings = Settings::defaults().with("public_path", public_path).with("store_min_free", min_free);
    Store::open(&settings.section::<Config>().unwrap()).await.unwrap()
}

pub fn bin_dir(number: u32) -> BinDir {
    BinDir::new(&format!("{number:064x}"), "0123456789abcdef").unwrap()
}

/// Waits until something is so, at most a minute.
pub async fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < Duration::from_secs(60), "still not so after a minute: {what}");
        tokio::task::yield_now().await;
    }
}
