//! What lies in a bucket, and how it goes.

use std::{fs, time::Duration};

use asu_test_support::Fault;

use crate::bucket::{Bucket, MARKER, bin_dir, eventually, open};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// More often than anything is tried.
const ALWAYS: u64 = u64::MAX;

#[tokio::test]
async fn everything_in_the_bucket_is_accounted_for() {
    let bucket = Bucket::new().await;
    bucket.publish(&bin_dir(1), &[("a.bin", b"firmware"), ("sub/b", b"xy")]).await.unwrap();
    bucket.publish(&bin_dir(2), &[("a.bin", b"firmware")]).await.unwrap();
    let ours = bucket.server.bucket().join("asu/images");
    fs::write(ours.join("notes.txt"), "hello").unwrap();
    fs::write(ours.join(".probe"), "asu").unwrap();
    fs::write(bucket.server.bucket().join("of-others"), "hello").unwrap();
    fs::create_dir(ours.join(bin_dir(3).as_str())).unwrap();
    fs::write(bucket.object(&bin_dir(3), "a.bin"), "half").unwrap();
    let mut entries = bucket.store.entries().await.unwrap();
    entries.builds.sort_by(|one, other| one.bin_dir.cmp(&other.bin_dir));
    let sizes: Vec<_> = entries.builds.iter().map(|build| (build.bin_dir.clone(), build.size)).collect();
    assert_eq!(sizes, [(bin_dir(1), 10), (bin_dir(2), 8)]);
    assert!(entries.builds.iter().all(|build| build.modified.elapsed().is_ok_and(|age| age < DAY)));
    assert_eq!(entries.strange, ["notes.txt"]);
}

#[tokio::test]
async fn a_removed_build_is_gone_with_all_its_files_and_no_others() {
    let bucket = Bucket::new().await;
    bucket.publish(&bin_dir(1), &[("a.bin", b"firmware"), ("sub/b", b"xy")]).await.unwrap();
    bucket.publish(&bin_dir(2), &[("a.bin", b"firmware")]).await.unwrap();
    assert!(bucket.store.remove(&bin_dir(1)).await.unwrap());
    assert!(!bucket.store.remove(&bin_dir(1)).await.unwrap());
    let names = ["asu/images", bin_dir(2).as_str()].join("/");
    assert_eq!(bucket.server.objects(), [format!("{names}/{MARKER}"), format!("{names}/a.bin")]);
}

#[tokio::test]
async fn a_build_that_goes_is_gone_before_its_first_file_is() {
    let bucket = Bucket::with(&[("s3_retries", "0")]).await;
    bucket.publish(&bin_dir(1), &[("a.bin", b"firmware")]).await.unwrap();
    bucket.server.inject("DELETE", MARKER, Fault::Status(503), 0, ALWAYS);
    assert!(bucket.store.remove(&bin_dir(1)).await.is_err());
    assert_eq!(bucket.read(&bin_dir(1), "a.bin").await.unwrap(), b"firmware", "it is there, so it is there as a whole");
    bucket.server.behave();
    bucket.server.inject("DELETE", "a.bin", Fault::Status(503), 0, ALWAYS);
    assert!(bucket.store.remove(&bin_dir(1)).await.is_err());
    assert!(bucket.object(&bin_dir(1), "a.bin").exists());
    assert!(!bucket.store.contains(&bin_dir(1)).await.unwrap());
    assert!(bucket.store.entries().await.unwrap().builds.is_empty());
    bucket.server.behave();
    assert_eq!(bucket.store.sweep_temporary(DAY).await.unwrap(), 0, "its worker may still be uploading it");
    assert_eq!(bucket.store.sweep_temporary(Duration::ZERO).await.unwrap(), 1);
    bucket.is_clean().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_dead_worker_left_is_swept_and_what_is_published_is_not() {
    let bucket = Bucket::new().await;
    bucket.publish(&bin_dir(1), &[("a.bin", b"firmware")]).await.unwrap();
    bucket.server.inject("PUT", MARKER, Fault::Hang, 0, 1);
    let dying = tokio::spawn(bucket.stage(&bin_dir(2), &[("a.bin", b"firmware")]).await.publish());
    eventually("only the last object lacks", || bucket.server.count("PUT", MARKER) == 2).await;
    dying.abort();
    assert!(dying.await.unwrap_err().is_cancelled());
    let another = open(&bucket.server, &bucket.directory, &[]).await;
    assert_eq!(another.sweep_temporary(DAY).await.unwrap(), 0);
    eventually("the staging directory is gone", || {
        fs::read_dir(bucket.directory.path().join("staging")).unwrap().count() == 0
    })
    .await;
    assert_eq!(another.sweep_temporary(Duration::ZERO).await.unwrap(), 1);
    assert!(another.contains(&bin_dir(1)).await.unwrap());
    assert_eq!(bucket.server.objects().len(), 2);
}
