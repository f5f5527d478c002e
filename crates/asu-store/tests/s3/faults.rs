//! A bucket that is in trouble: it is tried again, and what cannot be done leaves nothing behind.

use std::time::Duration;

use asu_store::{Access, FileName};
use asu_test_support::Fault;

use crate::bucket::{Bucket, MARKER, bin_dir, bytes, chain, eventually};

/// More often than anything is tried.
const ALWAYS: u64 = u64::MAX;

const MANY_PARTS: (&str, &str) = ("s3_part_size", "5MiB");

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn trouble_that_passes_is_not_noticed() {
    for fault in [
        Fault::Status(500),
        Fault::Status(503),
        Fault::Status(429),
        Fault::CutRequest,
        Fault::CutAnswer,
        Fault::Delay(Duration::from_millis(300)),
    ] {
        let bucket = Bucket::with(&[MANY_PARTS]).await;
        let large = bytes(6 << 20);
        bucket.server.inject("PUT", "a.bin", fault, 0, 1);
        bucket.server.inject("PUT", "large.img?partNumber=", fault, 1, 1);
        bucket.server.inject("PUT", MARKER, fault, 0, 1);
        bucket.publish(&bin_dir(1), &[("a.bin", b"firmware"), ("large.img", &large)]).await.unwrap();
        assert_eq!(bucket.read(&bin_dir(1), "a.bin").await.unwrap(), b"firmware", "{fault:?}");
        assert!(bucket.read(&bin_dir(1), "large.img").await.unwrap() == large, "{fault:?}");
        assert!(bucket.server.count("PUT", "a.bin") > usize::from(!matches!(fault, Fault::Delay(_))), "{fault:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_falls_silent_is_asked_again() {
    let bucket = Bucket::with(&[("s3_timeout", "5s")]).await;
    bucket.server.inject("PUT", "a.bin", Fault::Hang, 0, 1);
    bucket.publish(&bin_dir(1), &[("a.bin", b"firmware")]).await.unwrap();
    assert!(bucket.server.count("PUT", "a.bin") > 1);
    assert_eq!(bucket.read(&bin_dir(1), "a.bin").await.unwrap(), b"firmware");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn trouble_that_stays_leaves_nothing_behind() {
    for fault in [Fault::Status(500), Fault::Status(503), Fault::CutRequest, Fault::CutAnswer] {
        for (method, part) in [("PUT", "b.bin"), ("PUT", "large.img?partNumber=2"), ("PUT", MARKER), ("HEAD", "a.bin")]
        {
            let bucket = Bucket::with(&[MANY_PARTS, ("s3_retries", "1"), ("s3_parallel_uploads", "1")]).await;
            bucket.server.inject(method, part, fault, 0, ALWAYS);
            let files: [(&str, &[u8]); 3] = [("a.bin", b"a"), ("b.bin", b"b"), ("large.img", &bytes(6 << 20))];
            let error = bucket.publish(&bin_dir(1), &files).await.unwrap_err();
            assert_eq!(error.to_string(), format!("cannot publish {}", bin_dir(1)));
            assert!(!error.is_full(), "{}", chain(&error));
            assert!(!bucket.store.contains(&bin_dir(1)).await.unwrap(), "{fault:?} at {method} {part}");
            bucket.is_clean().await;
        }
    }
}

#[tokio::test]
async fn a_bucket_that_does_not_let_us_is_not_asked_twice() {
    let bucket = Bucket::new().await;
    bucket.server.inject("PUT", "", Fault::Status(403), 0, ALWAYS);
    let error = bucket.publish(&bin_dir(1), &[("a.bin", b"a")]).await.unwrap_err();
    assert_eq!(bucket.server.count("PUT", "a.bin"), 1, "{}", chain(&error));
    let error = bucket.store.check_writable().await.unwrap_err();
    assert_eq!(error.to_string(), "the bucket of s3_bucket cannot be written", "everybody may read /ready");
    assert!(chain(&error).contains("privileges"), "{}", chain(&error));
    bucket.is_clean().await;
}

#[tokio::test]
async fn a_wrong_key_is_no_empty_bucket() {
    let bucket = Bucket::with(&[("s3_secret_key", "another")]).await;
    assert!(bucket.store.contains(&bin_dir(1)).await.is_err());
    assert!(bucket.store.entries().await.is_err());
    assert!(bucket.store.check_readable().await.is_err());
    assert!(bucket.publish(&bin_dir(1), &[("a.bin", b"a")]).await.is_err());
}

#[tokio::test]
async fn what_is_damaged_on_its_way_is_not_taken() {
    let bucket = Bucket::with(&[("s3_retries", "1")]).await;
    bucket.server.inject("PUT", "a.bin", Fault::DamageRequest, 0, ALWAYS);
    bucket.publish(&bin_dir(1), &[("a.bin", b"firmware")]).await.unwrap_err();
    bucket.is_clean().await;
}

#[tokio::test]
async fn what_is_damaged_in_the_bucket_is_not_published() {
    let bucket = Bucket::with(&[MANY_PARTS]).await;
    let large = bytes(6 << 20);
    bucket.server.inject("GET", "large.img", Fault::DamageAnswer, 1, ALWAYS);
    let error = bucket.publish(&bin_dir(1), &[("large.img", &large)]).await.unwrap_err();
    assert!(chain(&error).contains("large.img is damaged"), "{}", chain(&error));
    bucket.is_clean().await;

    let trusting = Bucket::with(&[("s3_read_back", "false")]).await;
    trusting.publish(&bin_dir(1), &[("a.bin", b"a")]).await.unwrap();
    assert_eq!(trusting.server.count("GET", "a.bin"), 0, "it was read all the same");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reading_again_survives_broken_connections() {
    let bucket = Bucket::new().await;
    bucket.server.inject("GET", "a.bin", Fault::CutBody, 0, 1);
    bucket.server.inject("GET", "a.bin", Fault::Status(503), 0, 1);
    let content = bytes(1 << 20);
    bucket.publish(&bin_dir(1), &[("a.bin", &content)]).await.unwrap();
    assert!(bucket.server.count("GET", "a.bin") >= 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_that_is_away_is_no_empty_bucket_and_may_come_back() {
    let bucket = Bucket::with(&[("s3_retries", "1")]).await;
    bucket.publish(&bin_dir(1), &[("a.bin", b"a")]).await.unwrap();
    bucket.store.check_readable().await.unwrap();
    bucket.store.check_writable().await.unwrap();
    bucket.server.go_away().await;
    let name = FileName::parse("a.bin").unwrap();
    assert!(bucket.store.contains(&bin_dir(1)).await.is_err());
    assert!(bucket.store.open_file(&bin_dir(1), &name, Access::Get).await.is_err());
    assert!(bucket.store.entries().await.is_err());
    assert!(bucket.store.remove(&bin_dir(1)).await.is_err());
    assert!(bucket.store.check_readable().await.is_err());
    assert!(bucket.store.check_writable().await.is_err());
    assert!(bucket.publish(&bin_dir(2), &[("a.bin", b"a")]).await.is_err());
    bucket.server.come_back().await;
    bucket.store.check_readable().await.unwrap();
    bucket.store.check_writable().await.unwrap();
    assert_eq!(bucket.read(&bin_dir(1), "a.bin").await.unwrap(), b"a");
    bucket.publish(&bin_dir(2), &[("a.bin", b"a")]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asks_for_an_image_does_not_wait_for_ever() {
    let bucket = Bucket::with(&[("s3_lookup_timeout", "300ms")]).await;
    bucket.server.inject("HEAD", "", Fault::Hang, 0, ALWAYS);
    let error = bucket.store.contains(&bin_dir(1)).await.unwrap_err();
    assert!(chain(&error).contains("does not answer within 0.3 s (s3_lookup_timeout)"), "{}", chain(&error));
}

#[tokio::test]
async fn a_bucket_that_worked_lately_is_not_asked_until_something_fails() {
    let bucket = Bucket::with(&[("s3_check_interval", "1h"), ("s3_retries", "0")]).await;
    for _ in 0..3 {
        bucket.store.check_writable().await.unwrap();
        bucket.store.check_readable().await.unwrap();
    }
    assert_eq!((bucket.server.count("PUT", ".probe"), bucket.server.count("HEAD", ".probe")), (1, 1));
    eventually("nothing is left of it", || bucket.server.objects().is_empty()).await;
    bucket.server.inject("PUT", "", Fault::Status(503), 0, ALWAYS);
    bucket.publish(&bin_dir(1), &[("a.bin", b"a")]).await.unwrap_err();
    assert!(bucket.store.check_writable().await.is_err(), "the worker would take the next build into the same trouble");
}
