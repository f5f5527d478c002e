//! Builds that take more than they may.

use serde_json::json;

use crate::bench::{Bench, failed, request, request_for};

#[tokio::test]
async fn a_build_that_takes_too_much_is_stopped() {
    let limits = [
        ("job_output_timeout", "3s"),
        ("job_timeout", "12s"),
        ("container_memory", "160MiB"),
        ("container_max_file_size", "256MiB"),
        ("max_images_size", "100MiB"),
        ("max_output_size", "1MiB"),
        ("max_log_size", "4KiB"),
    ];
    let bench = Bench::with(&limits).await;
    let worker = bench.worker_with(&[("concurrency", 2)]).await;
    let cases = [
        ("fault-slow-30", "timeout"),
        ("fault-hang", "no_output"),
        ("fault-output", "too_much_output"),
        ("fault-memory", "out_of_memory"),
        ("fault-disk", "image_builder"),
        ("fault-big-image", "unusable_images"),
    ];
    let mut hashes = Vec::new();
    for (package, _) in cases {
        hashes.push(bench.enqueue(&request_for(&[package])).await);
    }
    for (hash, (package, kind)) in hashes.iter().zip(cases) {
        let failed = failed(bench.outcome(hash).await);
        assert_eq!(failed.failure.kind(), kind, "{package}: {} {:?}", failed.failure, failed.log);
        assert_eq!(failed.build_cmd[1], "image");
        if package == "fault-output" {
            assert!(failed.log.stdout.starts_with("[10"), "{}", &failed.log.stdout[..100]);
            assert!(failed.log.stdout.len() < 5000);
        }
    }
    bench.assert_clean(&hashes.iter().collect::<Vec<_>>()).await;
    assert_eq!(bench.stored(), [""; 0]);
    worker.stop().await;
}

#[tokio::test]
async fn a_build_has_no_way_to_the_services_of_this_machine() {
    let bench = Bench::new().await;
    let worker = bench.worker().await;
    let outcome = bench.build(&request(json!({"packages": ["fault-network"]}))).await;
    let result = crate::bench::done(outcome);
    assert!(!result.log.stdout.contains(" reachable"), "{}", result.log.stdout);
    worker.stop().await;
}
