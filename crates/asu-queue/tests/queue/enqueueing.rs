//! Getting into the line.

use asu_core::RequestHash;
use asu_queue::{BuildStatus, Enqueued, Finished, QueueError};
use futures::future::join_all;

use crate::bench::{Bench, build, done, failed, package, take};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_request_50_times_at_once_is_one_build() {
    let bench = Bench::start().await;
    let (hash, queued) = build(1);
    let enqueue = || async { bench.connect().enqueue(&hash, &queued).await.unwrap() };
    let answers = join_all((0..50).map(|_| enqueue())).await;
    assert_eq!(answers.iter().filter(|answer| matches!(answer, Enqueued::New(_))).count(), 1);
    assert_eq!(answers.iter().filter(|answer| matches!(answer, Enqueued::Known(_))).count(), 49);

    let mut builds = bench.builds("one");
    let claim = take(&mut builds).await;
    let outcome = done(claim.lease.attempt());
    assert_eq!(claim.lease.finish(outcome).await.unwrap(), Finished::Accepted);
    let counts = bench.counts().await;
    assert_eq!((counts.pending, counts.running), (0, 0));
    let known = bench.queue.enqueue(&hash, &queued).await.unwrap();
    assert!(matches!(known, Enqueued::Known(BuildStatus::Done(_))), "{known:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_bound_of_the_line_is_exact() {
    let bench = Bench::with(&[("max_pending_jobs", "25")]).await;
    let client = |queue: asu_queue::Queue, first: u32| async move {
        let mut answers = Vec::new();
        for number in first..first + 200 {
            let (hash, queued) = build(number);
            answers.push(queue.enqueue(&hash, &queued).await.unwrap());
        }
        answers
    };
    let clients = (0..4).map(|n| tokio::spawn(client(bench.connect(), n * 1000)));
    let answers: Vec<_> = join_all(clients).await.into_iter().flat_map(Result::unwrap).collect();
    assert_eq!(answers.iter().filter(|answer| matches!(answer, Enqueued::New(_))).count(), 25);
    assert_eq!(answers.iter().filter(|answer| matches!(answer, Enqueued::Full { length: 25 })).count(), 775);
    assert_eq!(bench.counts().await.pending, 25);
}

#[tokio::test]
async fn a_known_build_is_answered_even_if_the_line_is_full() {
    let bench = Bench::with(&[("max_pending_jobs", "1")]).await;
    bench.enqueue([1]).await;
    let (hash, queued) = build(1);
    assert!(matches!(bench.queue.enqueue(&hash, &queued).await.unwrap(), Enqueued::Known(_)));
    let (hash, queued) = build(2);
    assert_eq!(bench.queue.enqueue(&hash, &queued).await.unwrap(), Enqueued::Full { length: 1 });
    assert!(bench.queue.status(&hash).await.unwrap().is_none());
}

#[tokio::test]
async fn builds_are_taken_in_the_order_in_which_they_came() {
    let bench = Bench::start().await;
    let hashes = bench.enqueue(1..=5).await;
    for (position, hash) in hashes.iter().enumerate() {
        assert_eq!(bench.position(hash).await, position as u64);
    }
    let mut builds = bench.builds("one");
    let mut taken = Vec::new();
    for _ in 1..=5 {
        taken.push(take(&mut builds).await);
        if taken.len() == 2 {
            assert_eq!(bench.position(&hashes[2]).await, 0);
            assert_eq!(bench.position(&hashes[4]).await, 2);
        }
    }
    let order: Vec<_> = taken.iter().map(package).collect();
    assert_eq!(order, ["package-1", "package-2", "package-3", "package-4", "package-5"]);
}

#[tokio::test]
async fn the_queue_in_numbers() {
    let bench = Bench::start().await;
    assert_eq!(bench.counts().await.oldest_pending, None);
    let mut builds = bench.builds("one");
    bench.enqueue(1..=3).await;
    let running = take(&mut builds).await;
    let counts = bench.counts().await;
    assert_eq!((counts.pending, counts.delayed, counts.running, counts.workers), (2, 0, 1, 1));
    assert!(counts.oldest_pending.is_some());
    running.lease.finish(failed()).await.unwrap();
    builds.close().await;
    crate::bench::eventually("the worker takes its leave", || async { bench.counts().await.workers == 0 }).await;
}

#[tokio::test]
async fn redis_that_refuses_to_write_is_an_outage_and_changes_nothing() {
    let bench = Bench::start().await;
    let mut raw = bench.raw().await;
    let (hash, queued): (RequestHash, _) = build(1);
    for (name, bad, good) in [("maxmemory", "1", "0"), ("min-replicas-to-write", "1", "0")] {
        let set = |value: &str| redis::cmd("CONFIG").arg("SET").arg(name).arg(value).clone();
        let () = set(bad).query_async(&mut raw).await.unwrap();
        let error = bench.queue.enqueue(&hash, &queued).await.unwrap_err();
        assert!(matches!(error, QueueError::Refused { .. }) && error.is_outage(), "{error:?}");
        let () = set(good).query_async(&mut raw).await.unwrap();
        assert!(bench.queue.status(&hash).await.unwrap().is_none());
    }
    assert!(matches!(bench.queue.enqueue(&hash, &queued).await.unwrap(), Enqueued::New(_)));
}
