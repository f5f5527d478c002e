//! Builds while something around them is broken: tried again, and never stored as failed.

use std::fs;

use asu_queue::BuildStatus;
use asu_test_support::{PodmanService, Surroundings};
use serde_json::json;

use crate::bench::{Bench, done, failed, request, request_for, until};

/// Tried more often than a build whose own fault it may be.
async fn is_tried_again(version: &str, package: &str) {
    let bench = Bench::new().await;
    let worker = bench.worker().await;
    let hash = bench.enqueue(&request(json!({"version": version, "packages": [package]}))).await;
    until("it was tried again", || async {
        let tries = worker.metric("asu_worker_builds_total{result=\"postponed\"}").await;
        (tries >= 3.0).then_some(())
    })
    .await;
    bench.until_put_off(&hash).await;
    assert_eq!(bench.queue.outcome(&hash).await.unwrap(), None, "{version} {package}");
    // Others go on meanwhile.
    let (status, _) = worker.get("/ready").await;
    assert_eq!(status, 200);
    worker.stop().await;
    bench.assert_clean(&[&hash]).await;
}

#[tokio::test]
async fn packages_that_cannot_be_downloaded_are_not_the_requests_fault() {
    for (version, package) in [
        ("24.10.4", "fault-download"),
        ("24.10.4", "fault-gone"),
        ("25.12.0", "fault-gone"),
        ("24.10.4", "fault-download-late"),
        ("25.12.0", "fault-download-late"),
    ] {
        is_tried_again(version, package).await;
    }
}

#[tokio::test]
async fn what_upstream_is_about_to_publish_is_not_the_requests_fault() {
    for (version, package) in [
        ("24.10.4", "fault-signature"),
        ("25.12.0", "fault-signature"),
        ("24.10.4", "fault-checksum"),
        ("25.12.0", "fault-checksum"),
    ] {
        is_tried_again(version, package).await;
    }
}

/// Gives the image of the registry another name, or takes that name away.
fn podman(arguments: &[&str]) {
    let mut command = Surroundings::get().podman();
    command.args(arguments);
    let output = command.output().unwrap();
    assert!(output.status.success(), "podman {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test]
async fn without_the_registry_builds_wait_or_use_the_image_that_is_here() {
    // Nobody listens on port 1. The name is this test's own: Podman and its images are everybody's.
    let base_container = format!("127.0.0.1:1/test-{:08x}/imagebuilder", rand::random::<u32>());
    let bench = Bench::with(&[("base_container", &base_container)]).await;
    let worker = bench.worker().await;
    let hash = bench.enqueue(&request_for(&["iwinfo"])).await;
    bench.until_put_off(&hash).await;
    assert_eq!(bench.queue.outcome(&hash).await.unwrap(), None);
    assert!(worker.metric("asu_worker_pull_failures_total").await >= 1.0);
    assert_eq!(worker.until_ready_is(200).await["status"], "ready");

    let tag = "ath79-generic-v24.10.4";
    let (real, other) = (format!("{}:{tag}", Surroundings::get().base_container), format!("{base_container}:{tag}"));
    podman(&["pull", "--quiet", &real]);
    podman(&["tag", &real, &other]);
    done(bench.outcome(&hash).await);
    podman(&["untag", &real, &other]);
    worker.stop().await;
}

/// Upstream may be in the middle of publishing, or may never have had this ImageBuilder.
#[tokio::test]
async fn a_snapshot_whose_imagebuilder_cannot_be_fetched_is_tried_again_before_it_fails() {
    // Within the container nobody listens there.
    let bench = Bench::with(&[("upstream_url", "http://127.0.0.1:9")]).await;
    let worker = bench.worker().await;
    let hash = bench.enqueue(&request(json!({"version": "SNAPSHOT"}))).await;
    bench.until_put_off(&hash).await;
    assert_eq!(bench.queue.outcome(&hash).await.unwrap(), None);
    let failed = failed(bench.outcome(&hash).await);
    assert_eq!(failed.failure.kind(), "setup");
    assert!(failed.log.stdout.contains("/snapshots/targets/ath79/generic/"), "{}", failed.log.stdout);
    assert_eq!(worker.metric("asu_worker_builds_total{result=\"postponed\"}").await, 2.0);
    worker.stop().await;
    bench.assert_clean(&[&hash]).await;
}

#[tokio::test]
async fn without_podman_no_builds_are_taken_and_running_ones_are_tried_again() {
    let mut service = PodmanService::start().await;
    let bench = Bench::with(&[("podman_socket", service.socket().to_str().unwrap())]).await;
    let worker = bench.worker().await;
    let running = bench.enqueue(&request_for(&["fault-slow"])).await;
    bench.until_building(&running).await;
    service.kill();
    let body = worker.until_ready_is(503).await;
    assert_eq!(body["dependencies"]["podman"]["status"], "failing", "{body}");
    assert_eq!(worker.metric("asu_worker_paused{reason=\"podman\"}").await, 1.0);
    let waiting = bench.enqueue(&request_for(&["iwinfo"])).await;
    until("the running build is back in line", || async {
        let status = bench.queue.status(&running).await.unwrap();
        matches!(status, Some(BuildStatus::Queued { .. })).then_some(())
    })
    .await;
    let status = bench.queue.status(&waiting).await.unwrap();
    assert!(matches!(status, Some(BuildStatus::Queued { .. })), "{status:?}");

    service.restart().await;
    worker.until_ready_is(200).await;
    for hash in [&running, &waiting] {
        done(bench.outcome(hash).await);
    }
    bench.assert_clean(&[&running, &waiting]).await;
    worker.stop().await;
}

#[tokio::test]
async fn without_room_in_the_store_no_builds_are_taken() {
    let bench = Bench::with(&[("store_min_free", "1000TiB")]).await;
    let hash = bench.enqueue(&request_for(&[])).await;
    let worker = bench.worker().await;
    until("/ready says so", || async {
        let (status, body) = worker.get("/ready").await;
        (status == 503 && body.contains("less than store_min_free")).then_some(())
    })
    .await;
    until("the worker has looked at everything", || async {
        (worker.metric("asu_worker_paused{reason=\"podman\"}").await == 0.0).then_some(())
    })
    .await;
    let status = bench.queue.status(&hash).await.unwrap();
    assert!(matches!(status, Some(BuildStatus::Queued { position: 0, .. })), "{status:?}");
    assert_eq!(worker.metric("asu_worker_builds_total{result=\"postponed\"}").await, 0.0, "not even the first one");
    worker.stop().await;
}

/// Redis stops in the middle of a build: it goes on, and is reported when Redis is back.
#[tokio::test]
async fn a_build_outlasts_an_absence_of_redis() {
    let mut bench = Bench::new().await;
    let worker = bench.worker().await;
    let hash = bench.enqueue(&request_for(&["fault-slow"])).await;
    bench.until_building(&hash).await;
    bench.redis.stop().await;
    bench.redis.start_again().await;
    let result = done(bench.outcome(&hash).await);
    assert!(fs::exists(bench.store().join(result.bin_dir).join("profiles.json")).unwrap());
    assert_eq!(worker.metric("asu_worker_builds_total{result=\"done\"}").await, 1.0);
    worker.stop().await;
}
