//! Where images are said to be.

use std::{fs, time::Duration};

use asu_store::{Access, FileName, Redirect};

use crate::bucket::{Bucket, MARKER, bin_dir};

#[tokio::test]
async fn a_presigned_address_is_for_one_thing_only() {
    let bucket = Bucket::with(&[("s3_presign_for", "90s")]).await;
    bucket.publish(&bin_dir(1), &[("a.bin", b"firmware")]).await.unwrap();
    let get = bucket.find(&bin_dir(1), "a.bin", Access::Get).await.unwrap();
    assert_eq!(get.lasts, None);
    assert!(get.url.contains("X-Amz-Expires=90"), "{}", get.url);
    let head = bucket.find(&bin_dir(1), "a.bin", Access::Head).await.unwrap();
    let client = reqwest::Client::new();
    assert_eq!(client.head(&head.url).send().await.unwrap().status(), 200);
    assert_eq!(client.get(&head.url).send().await.unwrap().status(), 403);
    assert_eq!(client.get(&get.url).header("range", "bytes=4-7").send().await.unwrap().text().await.unwrap(), "ware");
    let other = get.url.replace("a.bin", MARKER);
    assert_eq!(client.get(other).send().await.unwrap().status(), 403);
}

#[tokio::test]
async fn a_public_address_has_no_signature() {
    let settings = [("s3_public_url", "https://cdn.example/asu/"), ("s3_lookup_ttl", "20s")];
    let bucket = Bucket::with(&settings).await;
    bucket.publish(&bin_dir(1), &[("a+b.bin", b"firmware")]).await.unwrap();
    for access in [Access::Get, Access::Head] {
        let url = format!("https://cdn.example/asu/{}/a%2Bb.bin", bin_dir(1));
        let expected = Redirect { url, lasts: Some(Duration::from_secs(20)) };
        assert_eq!(bucket.find(&bin_dir(1), "a+b.bin", access).await, Some(expected));
    }
    assert_eq!(bucket.find(&bin_dir(1), "missing.bin", Access::Get).await, None);
}

#[tokio::test]
async fn nobody_is_sent_to_what_is_not_there() {
    let bucket = Bucket::new().await;
    bucket.publish(&bin_dir(1), &[("a.bin", b"firmware")]).await.unwrap();
    for (build, file) in [(1, "missing.bin"), (2, "a.bin")] {
        assert_eq!(bucket.find(&bin_dir(build), file, Access::Get).await, None, "{build} {file}");
    }
    FileName::parse(MARKER).expect_err("nobody can ask for what makes a build one");
    fs::remove_file(bucket.object(&bin_dir(1), "a.bin")).unwrap();
    assert_eq!(bucket.find(&bin_dir(1), "a.bin", Access::Get).await, None);
    assert!(bucket.store.contains(&bin_dir(1)).await.unwrap());
    fs::remove_file(bucket.object(&bin_dir(1), MARKER)).unwrap();
    assert!(!bucket.store.contains(&bin_dir(1)).await.unwrap());
}

#[tokio::test]
async fn what_was_there_is_believed_to_be_there_for_a_while() {
    let bucket = Bucket::with(&[("s3_lookup_ttl", "1h")]).await;
    assert!(!bucket.store.contains(&bin_dir(1)).await.unwrap());
    bucket.publish(&bin_dir(1), &[("a.bin", b"firmware")]).await.unwrap();
    let before = bucket.server.count("HEAD", "");
    for _ in 0..10 {
        assert!(bucket.store.contains(&bin_dir(1)).await.unwrap(), "what was not there may have come since");
        assert!(bucket.find(&bin_dir(1), "a.bin", Access::Get).await.is_some());
    }
    assert_eq!(bucket.server.count("HEAD", "") - before, 2, "one for the build and one for the file");
    assert!(bucket.store.remove(&bin_dir(1)).await.unwrap());
    assert!(!bucket.store.contains(&bin_dir(1)).await.unwrap(), "who removes it knows better");
}
