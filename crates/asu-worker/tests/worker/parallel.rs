//! Builds beside each other: what they share of the machine, and of the pulls.

use std::thread::available_parallelism;

use asu_core::RequestHash;
use asu_queue::BuildStatus;
use asu_test_support::Surroundings;
use serde_json::json;

use crate::{
    bench::{Bench, done, request, request_for, until},
    podman_door::PodmanDoor,
};

const PULL: &str = "/images/pull";

/// Memory, CPU quota and processes of a container, as Podman has them.
fn limits_of(container: &str) -> [u64; 3] {
    let format = "{{.HostConfig.Memory}} {{.HostConfig.CpuQuota}} {{.HostConfig.PidsLimit}}";
    let output = Surroundings::get().podman().args(["inspect", "--format", format, container]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let numbers: Vec<u64> = text.split_whitespace().map(|word| word.parse().unwrap()).collect();
    numbers.try_into().unwrap_or_else(|_| panic!("{text}"))
}

#[tokio::test]
async fn containers_have_their_share_of_the_machine_unless_the_settings_say_more() {
    let bench = Bench::with(&[("container_memory", "0")]).await;
    let worker = bench.worker_with(&[("concurrency", 2)]).await;
    let hash = bench.enqueue(&request_for(&["fault-slow"])).await;
    bench.until_building(&hash).await;
    let [memory, cpu, pids] = limits_of(&bench.containers(&hash).await[0]);
    let cores = u64::try_from(available_parallelism().unwrap().get()).unwrap();
    assert_eq!(cpu, (cores * 100_000 / 2).max(100_000) / 1000 * 1000);
    assert!((512 << 20..=8192 << 20).contains(&memory) && memory % (1 << 20) == 0, "{memory}");
    assert!((256..=2048).contains(&pids), "{pids}");
    done(bench.outcome(&hash).await);
    worker.stop().await;
}

#[tokio::test]
async fn limits_that_are_set_are_those_of_the_containers() {
    let mut bench = Bench::with(&[("container_memory", "300MiB")]).await;
    bench.settings = bench.settings.clone().with("container_cpus", 1.5).with("container_pids", 321);
    let worker = bench.worker_with(&[("concurrency", 8)]).await;
    let hash = bench.enqueue(&request_for(&["fault-slow"])).await;
    bench.until_building(&hash).await;
    assert_eq!(limits_of(&bench.containers(&hash).await[0]), [300 << 20, 150_000, 321]);
    done(bench.outcome(&hash).await);
    worker.stop().await;
}

async fn until_started(bench: &Bench, hash: &RequestHash) {
    until("the build is started", || async {
        let status = bench.queue.status(hash).await.unwrap();
        matches!(status, Some(BuildStatus::Started { .. })).then_some(())
    })
    .await;
}

#[tokio::test]
async fn builds_of_one_image_share_one_pull() {
    let door = PodmanDoor::holding(PULL);
    let bench = Bench::with(&[("podman_socket", door.socket().to_str().unwrap())]).await;
    let worker = bench.worker_with(&[("concurrency", 4)]).await;
    let mut hashes = Vec::new();
    for package in ["iwinfo", "uhttpd", "rpcd", "ubus"] {
        hashes.push(bench.enqueue(&request_for(&[package])).await);
    }
    for hash in &hashes {
        until_started(&bench, hash).await;
    }
    until("the image is asked for", || async { (door.count(PULL) > 0).then_some(()) }).await;
    door.release();
    for hash in &hashes {
        done(bench.outcome(hash).await);
    }
    assert_eq!(door.count(PULL), 1);
    assert_eq!(worker.metric("asu_worker_pulls_total").await, 1.0);
    worker.stop().await;
}

#[tokio::test]
async fn two_images_are_pulled_side_by_side() {
    let door = PodmanDoor::holding(PULL);
    let bench = Bench::with(&[("podman_socket", door.socket().to_str().unwrap())]).await;
    let worker = bench.worker_with(&[("concurrency", 2)]).await;
    let other = json!({"version": "25.12.0", "target": "mediatek/filogic", "profile": "glinet_gl-mt6000"});
    let hashes = [bench.enqueue(&request_for(&["iwinfo"])).await, bench.enqueue(&request(other)).await];
    // None of them is through while both are under way.
    until("both images are asked for", || async { (door.count(PULL) == 2).then_some(()) }).await;
    door.release();
    for hash in &hashes {
        done(bench.outcome(hash).await);
    }
    assert_eq!((door.count("ath79-generic-v24.10.4"), door.count("mediatek-filogic-v25.12.0")), (1, 1));
    worker.stop().await;
}
