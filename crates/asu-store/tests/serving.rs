//! Nothing but plain files of published builds is ever opened.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::{fs, os::unix::fs::symlink, process::Command};

use support::{TestStore, bin_dir};

#[tokio::test]
async fn a_link_inside_a_build_is_not_followed() {
    let store = TestStore::new().await;
    store.publish(&bin_dir(1), &[("a.bin", "firmware")]).await;
    let build = store.path().join(bin_dir(1).as_str());
    symlink("/etc/passwd", build.join("absolute")).unwrap();
    symlink("a.bin", build.join("relative")).unwrap();
    for name in ["absolute", "relative"] {
        assert_eq!(store.read(&bin_dir(1), name).await, None, "{name}");
    }
    assert!(store.read(&bin_dir(1), "a.bin").await.is_some());
}

#[tokio::test]
async fn a_link_in_place_of_a_build_is_not_followed() {
    let store = TestStore::new().await;
    let elsewhere = tempfile::TempDir::new().unwrap();
    fs::write(elsewhere.path().join("a.bin"), "secret").unwrap();
    symlink(elsewhere.path(), store.path().join(bin_dir(1).as_str())).unwrap();
    assert_eq!(store.read(&bin_dir(1), "a.bin").await, None);
    assert!(!store.store.contains(&bin_dir(1)).await.unwrap());
    assert!(store.store.remove(&bin_dir(1)).await.is_ok());
    assert!(elsewhere.path().join("a.bin").exists(), "the link was followed when removing");
}

#[tokio::test]
async fn what_is_no_plain_file_is_not_there() {
    let store = TestStore::new().await;
    store.publish(&bin_dir(1), &[("a.bin", "firmware")]).await;
    let build = store.path().join(bin_dir(1).as_str());
    fs::create_dir(build.join("packages")).unwrap();
    assert!(Command::new("mkfifo").arg(build.join("pipe")).status().unwrap().success());
    for name in ["packages", "pipe", "missing"] {
        assert_eq!(store.read(&bin_dir(1), name).await, None, "{name}");
    }
    assert_eq!(store.read(&bin_dir(2), "a.bin").await, None);
}
