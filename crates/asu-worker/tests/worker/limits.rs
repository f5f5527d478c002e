//! Builds that take more than they may.

use asu_core::FailedBuild;
use serde_json::json;

use crate::bench::{Bench, failed, request, request_for};

/// Each package makes a build fail in its way, and nothing is left of it.
async fn check(limits: &[(&str, &str)], cases: &[(&str, &str)]) -> Vec<FailedBuild> {
    let bench = Bench::with(limits).await;
    let worker = bench.worker().await;
    let (mut hashes, mut failures) = (Vec::new(), Vec::new());
    for (package, kind) in cases {
        let hash = bench.enqueue(&request_for(&[package])).await;
        let failed = failed(bench.outcome(&hash).await);
        assert_eq!(failed.failure.kind(), *kind, "{package}: {} {:?}", failed.failure, failed.log);
        hashes.push(hash);
        failures.push(failed);
    }
    bench.assert_clean(&hashes.iter().collect::<Vec<_>>()).await;
    assert_eq!(bench.stored(), [""; 0]);
    worker.stop().await;
    failures
}

#[tokio::test]
async fn a_build_that_takes_too_much_is_stopped() {
    let limits = [
        ("container_memory", "160MiB"),
        ("container_max_file_size", "256MiB"),
        ("max_images_size", "100MiB"),
        ("max_output_size", "1MiB"),
        ("max_log_size", "4KiB"),
    ];
    let cases = [
        ("fault-output", "too_much_output"),
        ("fault-memory", "out_of_memory"),
        ("fault-disk", "image_builder"),
        ("fault-big-image", "unusable_images"),
    ];
    let failures = check(&limits, &cases).await;
    assert!(failures.iter().all(|failed| failed.build_cmd[1] == "image"), "{failures:?}");
    let stdout = &failures[0].log.stdout;
    assert!(stdout.starts_with("[10") && stdout.len() < 5000, "{}", &stdout[..100]);
}

/// A busy machine may make other builds as slow, so that these limits have workers of their own.
#[tokio::test]
async fn a_build_that_takes_too_long_is_stopped() {
    check(&[("job_output_timeout", "20s")], &[("fault-hang", "no_output")]).await;
    check(&[("job_timeout", "20s")], &[("fault-slow-30", "timeout")]).await;
}

#[tokio::test]
async fn a_build_that_starts_too_many_processes_harms_itself_alone() {
    let bench = Bench::new().await;
    let worker = bench.worker_with(&[("container_pids", 100)]).await;
    let failed = failed(bench.build(&request_for(&["fault-forks"])).await);
    assert_eq!(failed.failure.kind(), "image_builder");
    assert!(failed.log.stderr.contains("fault-forks: fork failed after "), "{}", failed.log.stderr);
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
