//! What a worker leaves that is killed in the middle of a build.

use asu_queue::BuildStatus;

use crate::bench::{Bench, done, request_for, signal, until};

#[tokio::test]
async fn the_container_of_a_killed_worker_is_removed_and_its_build_is_built() {
    let bench = Bench::with(&[("worker_name", "same")]).await;
    let mut first = bench.process("same");
    // Built again in thirty seconds, while a container that nobody wants goes a little after the length of a lease.
    let hash = bench.enqueue(&request_for(&["fault-slow-30"])).await;
    bench.until_building(&hash).await;
    let container = bench.containers(&hash).await;
    first.kill().unwrap();
    first.wait().unwrap();
    assert_eq!(bench.containers(&hash).await, container, "nobody has removed it yet");

    let second = bench.worker().await;
    until("the first worker's container is gone", || async {
        (!bench.containers(&hash).await.iter().any(|name| container.contains(name))).then_some(())
    })
    .await;
    let status = bench.queue.status(&hash).await.unwrap();
    assert!(matches!(status, Some(BuildStatus::Started { .. })), "long before it is built again: {status:?}");
    done(bench.outcome(&hash).await);
    assert_eq!(second.metric("asu_worker_leftovers_total").await, 1.0);
    bench.assert_clean(&[&hash]).await;
    second.stop().await;
}

#[tokio::test]
async fn a_worker_that_was_taken_for_dead_stores_nothing() {
    let bench = Bench::new().await;
    let mut first = bench.process("sleeper");
    let hash = bench.enqueue(&request_for(&["fault-slow"])).await;
    bench.until_building(&hash).await;
    signal(&first, "STOP");
    let second = bench.worker().await;
    let result = done(bench.outcome(&hash).await);
    signal(&first, "CONT");
    // It still works, for another queue entry.
    second.stop().await;
    done(bench.build(&request_for(&["iwinfo"])).await);
    assert_eq!(bench.stored().iter().filter(|name| name.starts_with(hash.as_str())).count(), 1);
    assert!(bench.stored().contains(&result.bin_dir));
    bench.assert_clean(&[&hash]).await;
    signal(&first, "TERM");
    first.wait().unwrap();
}

#[tokio::test]
async fn workers_of_one_name_leave_each_other_alone() {
    // Each looks around at once and every two seconds, while the builds run for more than five.
    let bench = Bench::with(&[("worker_name", "same"), ("lease", "8s")]).await;
    let (first, second) = (bench.worker().await, bench.worker().await);
    let hashes = [
        bench.enqueue(&request_for(&["fault-slow"])).await,
        bench.enqueue(&request_for(&["fault-slow", "iwinfo"])).await,
    ];
    for hash in &hashes {
        bench.until_building(hash).await;
    }
    let third = bench.worker().await;
    for hash in &hashes {
        done(bench.outcome(hash).await);
    }
    for worker in [first, second, third] {
        assert_eq!(worker.metric("asu_worker_leftovers_total").await, 0.0);
        worker.stop().await;
    }
    bench.assert_clean(&[&hashes[0], &hashes[1]]).await;
}
