//! A full disk is told apart from other faults, and nothing half-done becomes visible on it.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::{env, fs, io, process::Command};

use support::{bin_dir, eventually, open};

/// Names the small filesystem to the process that runs on it.
const SMALL: &str = "ASU_STORE_TEST_SMALL";

/// A tmpfs of 256 KiB and few inodes, which needs no privileges in a namespace of one's own.
const MOUNT: &str = r#"mount -t tmpfs -o size=256k,nr_inodes=16 tmpfs "$1" && shift && exec "$@""#;

#[tokio::test]
async fn a_full_disk_is_said_to_be_full() {
    #[expect(clippy::disallowed_methods, reason = "this test starts itself a second time, and tells so by a variable")]
    if let Ok(public_path) = env::var(SMALL) {
        return on_a_small_disk(&public_path).await;
    }
    let directory = tempfile::TempDir::new().unwrap();
    let output = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "sh", "-c", MOUNT, "sh"])
        .arg(directory.path())
        .arg(env::current_exe().unwrap())
        .args(["--exact", "a_full_disk_is_said_to_be_full", "--nocapture"])
        .env(SMALL, directory.path())
        .output()
        .unwrap();
    let (out, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "this test needs user namespaces or root to mount a tmpfs: {out}{errors}");
    assert!(out.contains("1 passed"), "the test did not run on the small disk: {out}{errors}");
}

async fn on_a_small_disk(public_path: &str) {
    let store = open(public_path, 1024).await;
    store.check_space().await.unwrap();
    let staging = store.begin(&bin_dir(1)).await.unwrap();
    let error = fs::write(staging.path().join("a.bin"), vec![7; 300 * 1024]).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);

    assert!(store.check_space().await.unwrap_err().is_full());
    let error = store.check_writable().await.unwrap_err();
    assert!(error.is_full(), "{error:?}");
    for number in 0..32 {
        // Out of inodes sooner or later.
        let _ = fs::File::create(staging.path().join(number.to_string()));
    }
    let error = store.begin(&bin_dir(2)).await.unwrap_err();
    assert!(error.is_full(), "{error:?}");

    drop(staging);
    let names = || fs::read_dir(format!("{public_path}/store")).unwrap().count();
    eventually("the room is free again", || names() == 0).await;
    store.check_writable().await.unwrap();
    store.check_space().await.unwrap();
    store.begin(&bin_dir(2)).await.unwrap().publish().await.unwrap();
}
