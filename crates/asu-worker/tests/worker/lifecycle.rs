//! Builds whose worker ends, or loses them.

use std::time::Instant;

use asu_queue::BuildStatus;

use crate::bench::{Bench, done, request_for, signal, until};

#[tokio::test]
async fn a_build_that_was_lost_is_stopped_and_not_stored() {
    let bench = Bench::new().await;
    let worker = bench.worker().await;
    let hash = bench.enqueue(&request_for(&["fault-slow-30"])).await;
    bench.until_building(&hash).await;
    assert_eq!(bench.containers(&hash).await.len(), 1);
    bench.redis_command("FLUSHALL").await;
    bench.assert_clean(&[&hash]).await;
    until("the worker knows", || async {
        (worker.metric("asu_worker_builds_total{result=\"lost\"}").await == 1.0).then_some(())
    })
    .await;
    assert_eq!(bench.stored(), [""; 0]);
    // It takes the next one.
    done(bench.build(&request_for(&["iwinfo"])).await);
    worker.stop().await;
}

#[tokio::test]
async fn at_the_end_a_build_may_finish_within_the_grace() {
    let bench = Bench::new().await;
    let worker = bench.worker().await;
    let hash = bench.enqueue(&request_for(&["fault-slow"])).await;
    bench.until_building(&hash).await;
    let next = bench.enqueue(&request_for(&["iwinfo"])).await;
    worker.stop().await;
    done(bench.queue.outcome(&hash).await.unwrap().expect("it was finished").outcome);
    let status = bench.queue.status(&next).await.unwrap();
    assert!(matches!(status, Some(BuildStatus::Queued { position: 0, .. })), "{status:?}");
    bench.assert_clean(&[&hash, &next]).await;
}

/// In a process of its own: what a worker does not do before it ends, nobody does.
#[tokio::test]
async fn at_the_end_of_the_grace_a_build_is_given_back() {
    let bench = Bench::with(&[("shutdown_grace", "24s")]).await;
    let mut worker = bench.process("short-of-time");
    let hash = bench.enqueue(&request_for(&["fault-slow-30"])).await;
    bench.until_building(&hash).await;
    let begun = Instant::now();
    signal(&worker, "TERM");
    let ended = until("the worker ends", || std::future::ready(worker.try_wait().unwrap())).await;
    assert!(ended.success(), "{ended}");
    assert!(begun.elapsed().as_secs() >= 12, "the build had its time: {:?}", begun.elapsed());
    let status = bench.queue.status(&hash).await.unwrap();
    assert!(matches!(status, Some(BuildStatus::Queued { position: 0, .. })), "{status:?}");
    assert_eq!(bench.containers(&hash).await, [""; 0]);
    assert_eq!(bench.stored(), [""; 0]);
}
