//! A build appears as a whole, once, and disappears as a whole.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::{
    fs::{self, Permissions},
    os::unix::fs::{PermissionsExt, symlink},
    time::{Duration, Instant},
};

use asu_store::StoreError;
use support::{TestStore, bin_dir, eventually, open};

#[tokio::test]
async fn a_published_build_can_be_read() {
    let store = TestStore::new().await;
    store.publish(&bin_dir(1), &[("a.bin", "firmware"), ("profiles.json", "{}")]).await;
    assert_eq!(store.read(&bin_dir(1), "a.bin").await.unwrap(), "firmware");
    assert_eq!(store.names(), [bin_dir(1).as_str()]);
    assert!(store.store.contains(&bin_dir(1)).await.unwrap());
    assert!(!store.store.contains(&bin_dir(2)).await.unwrap());
    let [build] = store.store.entries().await.unwrap().builds.try_into().unwrap();
    assert_eq!((build.bin_dir, build.size), (bin_dir(1), 10));
}

#[tokio::test]
async fn a_store_that_is_not_there_is_not_taken_for_an_empty_one() {
    let store = TestStore::new().await;
    store.publish(&bin_dir(1), &[("a.bin", "firmware")]).await;
    let aside = store.directory.path().join("aside");
    fs::rename(store.path(), &aside).unwrap();
    assert!(store.store.contains(&bin_dir(1)).await.is_err());
    let error = store.store.check_writable().await.unwrap_err();
    assert_eq!(error.to_string(), "the store below public_path is not writable", "everybody may read /ready");
    fs::rename(&aside, store.path()).unwrap();
    assert!(store.store.contains(&bin_dir(1)).await.unwrap());
}

/// A reader waits for each of many builds and looks at it the moment that it is there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_sees_all_of_a_build_or_nothing() {
    const BUILDS: u32 = 20;
    const FILES: usize = 20;
    let store = TestStore::new().await;
    let path = store.path();
    let reader = tokio::task::spawn_blocking(move || {
        let started = Instant::now();
        for number in 0..BUILDS {
            let entries = loop {
                assert!(started.elapsed() < Duration::from_secs(60), "build {number} never appeared");
                if let Ok(entries) = fs::read_dir(path.join(bin_dir(number).as_str())) {
                    break entries;
                }
            };
            let sizes: Vec<u64> = entries.map(|file| file.unwrap().metadata().unwrap().len()).collect();
            assert_eq!(sizes, [8; FILES], "a part of build {number} was visible");
        }
    });
    let names: Vec<String> = (0..FILES).map(|number| format!("file-{number}")).collect();
    let files: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "firmware")).collect();
    for number in 0..BUILDS {
        store.publish(&bin_dir(number), &files).await;
    }
    reader.await.unwrap();
}

#[tokio::test]
async fn an_unfinished_build_is_deleted_when_dropped() {
    let store = TestStore::new().await;
    let staging = store.store.begin(&bin_dir(1)).await.unwrap();
    fs::write(staging.path().join("a.bin"), "half").unwrap();
    assert!(!store.store.contains(&bin_dir(1)).await.unwrap());
    assert!(store.store.entries().await.unwrap().builds.is_empty());
    assert_eq!(store.read(&bin_dir(1), "a.bin").await, None);
    drop(staging);
    eventually("the staging directory is gone", || store.names().is_empty()).await;
}

#[tokio::test]
async fn what_is_published_is_never_replaced() {
    let store = TestStore::new().await;
    let late = store.store.begin(&bin_dir(1)).await.unwrap();
    fs::write(late.path().join("a.bin"), "late").unwrap();
    store.publish(&bin_dir(1), &[("a.bin", "first")]).await;
    let error = late.publish().await.unwrap_err();
    assert!(matches!(error, StoreError::AlreadyPublished { .. }), "{error}");
    assert_eq!(store.read(&bin_dir(1), "a.bin").await.unwrap(), "first");
    // Not even an empty directory is.
    fs::create_dir(store.path().join(bin_dir(2).as_str())).unwrap();
    let error = store.store.begin(&bin_dir(2)).await.unwrap().publish().await.unwrap_err();
    assert!(matches!(error, StoreError::AlreadyPublished { .. }), "{error}");
    eventually("the refused builds are gone", || store.names().len() == 2).await;
}

#[tokio::test]
async fn whoever_serves_may_read_what_whoever_builds_wrote() {
    let store = TestStore::new().await;
    let staging = store.store.begin(&bin_dir(1)).await.unwrap();
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode(staging.path()), 0o700);
    fs::create_dir(staging.path().join("packages")).unwrap();
    fs::write(staging.path().join("packages/x.apk"), "x").unwrap();
    fs::write(staging.path().join("a.bin"), "firmware").unwrap();
    fs::set_permissions(staging.path().join("a.bin"), Permissions::from_mode(0o4000)).unwrap();
    fs::set_permissions(staging.path().join("packages"), Permissions::from_mode(0o000)).unwrap();
    staging.publish().await.unwrap();
    let published = store.path().join(bin_dir(1).as_str());
    for (path, expected) in [("", 0o755), ("a.bin", 0o644), ("packages", 0o755), ("packages/x.apk", 0o644)] {
        assert_eq!(mode(&published.join(path)), expected, "{path}");
    }
}

#[tokio::test]
async fn links_and_pipes_are_not_published() {
    let store = TestStore::new().await;
    let staging = store.store.begin(&bin_dir(1)).await.unwrap();
    fs::create_dir(staging.path().join("sub")).unwrap();
    symlink("/etc/passwd", staging.path().join("sub/link")).unwrap();
    let error = staging.publish().await.unwrap_err();
    assert_eq!(error.to_string(), format!("{} holds sub/link, which is neither a file nor a directory", bin_dir(1)));
    assert!(!store.store.contains(&bin_dir(1)).await.unwrap());
    eventually("the refused build is gone", || store.names().is_empty()).await;
}

#[tokio::test]
async fn a_removed_build_is_gone_and_an_open_file_is_not() {
    let store = TestStore::new().await;
    store.publish(&bin_dir(1), &[("a.bin", "firmware")]).await;
    let mut open = store.find(&bin_dir(1), "a.bin").await.unwrap();
    assert!(store.store.remove(&bin_dir(1)).await.unwrap());
    assert!(!store.store.remove(&bin_dir(1)).await.unwrap());
    assert_eq!(store.read(&bin_dir(1), "a.bin").await, None);
    assert!(store.names().is_empty());
    let mut content = String::new();
    tokio::io::AsyncReadExt::read_to_string(&mut open.file, &mut content).await.unwrap();
    assert_eq!(content, "firmware");
}

#[tokio::test]
async fn a_store_that_cannot_be_made_says_which() {
    let directory = tempfile::TempDir::new().unwrap();
    let file = directory.path().join("file");
    fs::write(&file, "").unwrap();
    let settings = asu_config::Settings::defaults().with("public_path", file.to_str().unwrap());
    let error = asu_store::Store::open(&settings.section().unwrap()).await.unwrap_err();
    assert_eq!(error.to_string(), format!("cannot create the store {}/store", file.display()));
}

#[tokio::test]
async fn too_little_free_space_is_said_before_work_begins() {
    let directory = tempfile::TempDir::new().unwrap();
    let public_path = directory.path().to_str().unwrap();
    let roomy = open(public_path, 0).await;
    roomy.check_space().await.unwrap();
    roomy.check_writable().await.unwrap();
    let space = roomy.free_space().await.unwrap().unwrap();
    assert!(space.free > 0 && space.free <= space.total, "{space:?}");
    let error = open(public_path, i64::MAX).await.check_space().await.unwrap_err();
    assert!(error.is_full() && error.to_string().contains("store_min_free"), "{error}");
}
