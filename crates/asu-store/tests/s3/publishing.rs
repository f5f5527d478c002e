//! A build appears as a whole, once, and as it was made.

use std::{fs, os::unix::fs::symlink};

use asu_store::StoreError;
use asu_test_support::Fault;

use crate::bucket::{Bucket, MARKER, bin_dir, bytes, eventually, open};

#[tokio::test]
async fn a_published_build_can_be_read_where_it_is_said_to_be() {
    let bucket = Bucket::new().await;
    let odd = "a+b~c@1=2,x.img.gz";
    bucket.publish(&bin_dir(1), &[("a.bin", b"firmware"), (odd, b"odd"), ("empty", b"")]).await.unwrap();
    assert!(bucket.store.contains(&bin_dir(1)).await.unwrap());
    assert!(!bucket.store.contains(&bin_dir(2)).await.unwrap());
    assert_eq!(bucket.read(&bin_dir(1), odd).await.unwrap(), b"odd");
    assert_eq!(bucket.read(&bin_dir(1), "empty").await.unwrap(), b"");
    let answer = bucket.get(&bin_dir(1), "a.bin").await.unwrap();
    for (header, value) in [
        ("content-type", "application/octet-stream"),
        ("content-disposition", "attachment; filename=\"a.bin\""),
        ("cache-control", "public, max-age=86400, immutable"),
        ("content-length", "8"),
    ] {
        assert_eq!(answer.headers()[header], value);
    }
    assert_eq!(answer.text().await.unwrap(), "firmware");
}

#[tokio::test]
async fn a_large_file_goes_in_parts_and_arrives_whole() {
    let bucket = Bucket::with(&[("s3_part_size", "5MiB")]).await;
    let large = bytes((5 << 20) * 2 + 12345);
    let even = bytes(5 << 20);
    bucket.publish(&bin_dir(1), &[("large.img", &large), ("even.img", &even), ("sub/x.apk", b"x")]).await.unwrap();
    assert!(bucket.read(&bin_dir(1), "large.img").await.unwrap() == large, "the large file is another one");
    assert!(bucket.read(&bin_dir(1), "even.img").await.unwrap() == even, "the file of just one part is another one");
    assert_eq!(bucket.server.count("PUT", "large.img?partNumber="), 3);
    assert_eq!(bucket.server.loose_parts(), 0);
    let marker = fs::read_to_string(bucket.object(&bin_dir(1), MARKER)).unwrap();
    // printf x | sha256sum
    let sha256 = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881";
    assert!(marker.contains(&format!(r#"{{"name":"sub/x.apk","size":1,"sha256":"{sha256}"}}"#)), "{marker}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_sees_all_of_a_build_or_nothing() {
    let bucket = Bucket::new().await;
    bucket.server.inject("PUT", MARKER, Fault::Hang, 0, 1);
    let staging = bucket.stage(&bin_dir(1), &[("a.bin", b"firmware"), ("b.bin", b"more")]).await;
    let publishing = tokio::spawn(staging.publish());
    eventually("all files are there", || bucket.server.count("PUT", MARKER) == 1).await;
    assert!(bucket.object(&bin_dir(1), "a.bin").exists() && bucket.object(&bin_dir(1), "b.bin").exists());
    assert!(!bucket.store.contains(&bin_dir(1)).await.unwrap());
    assert!(bucket.get(&bin_dir(1), "a.bin").await.is_none());
    assert!(bucket.store.entries().await.unwrap().builds.is_empty());
    bucket.server.behave();
    publishing.await.unwrap().unwrap();
    assert_eq!(bucket.read(&bin_dir(1), "b.bin").await.unwrap(), b"more");
}

#[tokio::test]
async fn what_is_published_is_never_replaced() {
    let bucket = Bucket::new().await;
    bucket.publish(&bin_dir(1), &[("a.bin", b"first")]).await.unwrap();
    let error = bucket.publish(&bin_dir(1), &[("a.bin", b"late")]).await.unwrap_err();
    assert!(matches!(error, StoreError::AlreadyPublished { .. }), "{error}");
    assert_eq!(bucket.read(&bin_dir(1), "a.bin").await.unwrap(), b"first");
}

#[tokio::test]
async fn links_are_not_published() {
    let bucket = Bucket::new().await;
    let staging = bucket.stage(&bin_dir(1), &[("a.bin", b"firmware"), ("sub/b", b"")]).await;
    symlink("/etc/passwd", staging.path().join("sub/link")).unwrap();
    let error = staging.publish().await.unwrap_err();
    assert_eq!(error.to_string(), format!("{} holds sub/link, which is neither a file nor a directory", bin_dir(1)));
    bucket.is_clean().await;
}

#[tokio::test]
async fn an_unfinished_build_never_reaches_the_bucket() {
    let bucket = Bucket::new().await;
    drop(bucket.stage(&bin_dir(1), &[("a.bin", b"half")]).await);
    bucket.is_clean().await;
    assert_eq!(bucket.server.count("PUT", ""), 0);
}

#[tokio::test]
async fn room_is_asked_of_the_disk_that_builds_are_staged_on() {
    let bucket = Bucket::new().await;
    assert_eq!(bucket.store.free_space().await.unwrap(), None, "a bucket has no end");
    let space = bucket.store.staging_space().await.unwrap();
    assert!(space.free > 0 && space.free <= space.total, "{space:?}");
    bucket.store.check_space().await.unwrap();
    let elsewhere = bucket.directory.path().join("elsewhere");
    let settings = [("s3_staging_path", elsewhere.to_str().unwrap()), ("store_min_free", "8388607TiB")];
    let store = open(&bucket.server, &bucket.directory, &settings).await;
    let error = store.check_space().await.unwrap_err();
    assert!(error.is_full() && error.to_string().contains("store_min_free"), "{error}");
    assert!(store.begin(&bin_dir(1)).await.unwrap().path().starts_with(&elsewhere));
}
