//! An operator cancels and retries, whatever else happens to the build at that moment.

use std::time::Duration;

use asu_core::{BuildFailure, BuildOutcome, RequestHash};
use asu_queue::{
    BuildStatus, Cancelled, ClientKey, Enqueued, Finished, LogContent, LogState, LogView, Postponed, Released, Retried,
};
use tokio::time::timeout;

use crate::bench::{Bench, PATIENCE, build, done, eventually, failed, take, take_and_die, takes_nothing};

async fn assert_cancelled(bench: &Bench, hash: &RequestHash) {
    assert!(matches!(bench.status(hash).await, BuildStatus::Failed(_)));
    let BuildOutcome::Failed(failed) = bench.queue.outcome(hash).await.unwrap().unwrap().outcome else {
        panic!("not failed")
    };
    assert_eq!(failed.failure, BuildFailure::Cancelled);
    assert!(bench.ttl(hash).await <= Duration::from_secs(300));
}

#[tokio::test]
async fn a_build_that_waits_leaves_the_line() {
    let bench = Bench::with(&[("retry_delay", "1h"), ("retry_delay_max", "1h"), ("retry_for", "2h")]).await;
    let hashes = bench.enqueue(1..=3).await;
    assert_eq!(bench.queue.cancel(&hashes[1]).await.unwrap(), Cancelled::Waiting);
    assert_cancelled(&bench, &hashes[1]).await;
    assert_eq!(bench.position(&hashes[2]).await, 1);
    let mut builds = bench.builds("one");
    take(&mut builds).await.lease.postpone("the registry is away").await.unwrap();
    assert_eq!(bench.queue.cancel(&hashes[0]).await.unwrap(), Cancelled::Waiting);
    assert_cancelled(&bench, &hashes[0]).await;
    let last = take(&mut builds).await;
    assert_eq!(last.request_hash, hashes[2]);
    assert_eq!((bench.counts().await.pending, bench.counts().await.delayed), (0, 0));
    let (unknown, _) = build(9);
    assert_eq!(bench.queue.cancel(&unknown).await.unwrap(), Cancelled::Unknown);
    assert_eq!(bench.queue.cancel(&hashes[0]).await.unwrap(), Cancelled::Ended);
}

#[tokio::test]
async fn whoever_runs_a_cancelled_build_is_told_at_once_and_can_report_nothing() {
    // A third of this is the heartbeat's period: much longer than the test waits.
    let bench = Bench::with(&[("lease", "10m"), ("report_timeout", "10m")]).await;
    let hash = bench.enqueue([1]).await.remove(0);
    let mut builds = bench.builds("one");
    let claim = take(&mut builds).await;
    // Only a worker that listens is told at once.
    eventually("the worker listens", || async {
        let mut raw = bench.raw().await;
        let (_, listeners): (String, u64) =
            redis::cmd("PUBSUB").arg("NUMSUB").arg("{test}:wake").query_async(&mut raw).await.unwrap();
        listeners > 0
    })
    .await;
    assert_eq!(bench.queue.cancel(&hash).await.unwrap(), Cancelled::Running);
    timeout(PATIENCE, claim.lease.lost().cancelled()).await.expect("the worker is told");
    assert_eq!(bench.counts().await.running, 0);
    assert_eq!(bench.queue.running_attempts().await.unwrap(), []);
    let outcome = done(claim.lease.attempt());
    assert_eq!(claim.lease.finish(outcome).await.unwrap(), Finished::Superseded);
    assert_cancelled(&bench, &hash).await;
    takes_nothing(&mut builds).await;
}

#[tokio::test]
async fn a_worker_that_does_not_listen_learns_by_its_heartbeat() {
    let bench = Bench::start().await;
    let hash = bench.enqueue([1]).await.remove(0);
    let mut builds = bench.builds("one");
    let claim = take(&mut builds).await;
    builds.close().await;
    assert_eq!(bench.queue.cancel(&hash).await.unwrap(), Cancelled::Running);
    timeout(PATIENCE, claim.lease.lost().cancelled()).await.expect("the worker learns");
}

#[tokio::test]
async fn of_a_cancel_and_an_end_at_the_same_moment_one_counts() {
    let bench = Bench::start().await;
    let mut builds = bench.builds("one");
    for number in 1..=20 {
        let hash = bench.enqueue([number]).await.remove(0);
        let claim = take(&mut builds).await;
        let outcome = done(claim.lease.attempt());
        let (cancelled, finished) = tokio::join!(bench.queue.cancel(&hash), claim.lease.finish(outcome));
        match (cancelled.unwrap(), finished.unwrap()) {
            (Cancelled::Running, Finished::Superseded) => assert_cancelled(&bench, &hash).await,
            (Cancelled::Ended, Finished::Accepted) => {
                assert!(matches!(bench.status(&hash).await, BuildStatus::Done(_)));
            }
            both => panic!("{both:?}"),
        }
    }
}

#[tokio::test]
async fn a_cancelled_build_is_neither_given_back_nor_put_off_nor_taken() {
    let bench = Bench::start().await;
    let hashes = bench.enqueue(1..=2).await;
    let mut builds = bench.builds("one");
    let (first, second) = (take(&mut builds).await, take(&mut builds).await);
    for hash in &hashes {
        bench.queue.cancel(hash).await.unwrap();
    }
    assert_eq!(first.lease.give_back("shutting down").await.unwrap(), Released::NotOurs);
    assert_eq!(second.lease.postpone("the registry is away").await.unwrap(), Postponed::NotOurs);
    for hash in &hashes {
        assert_cancelled(&bench, hash).await;
    }
    takes_nothing(&mut builds).await;
}

#[tokio::test]
async fn the_build_of_a_dead_worker_is_cancelled_like_any_other() {
    let bench = Bench::start().await;
    let hash = bench.enqueue([1]).await.remove(0);
    take_and_die(&bench, "dead");
    assert_eq!(bench.queue.cancel(&hash).await.unwrap(), Cancelled::Running);
    assert_cancelled(&bench, &hash).await;
    // What comes after it is taken, and it is not.
    let next = bench.enqueue([2]).await.remove(0);
    let mut builds = bench.builds("two");
    let claim = take(&mut builds).await;
    assert_eq!(claim.request_hash, next);
    takes_nothing(&mut builds).await;
    assert_cancelled(&bench, &hash).await;
}

#[tokio::test]
async fn after_its_time_a_cancelled_build_is_built_for_whoever_asks() {
    let bench = Bench::with(&[("build_cancelled_ttl", "200ms")]).await;
    let hash = bench.enqueue([1]).await.remove(0);
    bench.queue.cancel(&hash).await.unwrap();
    eventually("it is forgotten", || async { bench.queue.status(&hash).await.unwrap().is_none() }).await;
    bench.enqueue([1]).await;
}

#[tokio::test]
async fn the_log_of_a_cancelled_build_can_be_read_to_its_end() {
    let bench = Bench::start().await;
    let hash = bench.enqueue([1]).await.remove(0);
    let claim = take(&mut bench.builds("one")).await;
    claim.lease.log().line("half an image");
    let text = |view: &LogView| {
        view.entries.iter().any(|entry| matches!(&entry.content, LogContent::Text(text) if text.contains("half")))
    };
    eventually("the log is told", || async { text(&bench.queue.log(&hash, None).await.unwrap().unwrap()) }).await;
    bench.queue.cancel(&hash).await.unwrap();
    let view = bench.queue.log(&hash, None).await.unwrap().unwrap();
    assert!(matches!(view.state, LogState::Finished(_)) && text(&view), "{view:?}");
}

#[tokio::test]
async fn a_failed_build_is_built_again_at_the_end_of_the_line() {
    let bench = Bench::with(&[("max_pending_jobs", "1")]).await;
    let hash = bench.enqueue([1]).await.remove(0);
    let mut builds = bench.builds("one");
    let claim = take(&mut builds).await;
    let before = claim.lease.attempt().clone();
    claim.lease.finish(failed()).await.unwrap();
    let other = bench.enqueue([2]).await.remove(0);
    // The line is full; an operator may.
    assert_eq!(bench.queue.retry(&hash).await.unwrap(), Retried::Again);
    assert_eq!(bench.queue.retry(&hash).await.unwrap(), Retried::Waiting);
    assert_eq!((bench.position(&other).await, bench.position(&hash).await), (0, 1));
    let ttl: i64 =
        redis::cmd("PTTL").arg(crate::bench::record(&hash)).query_async(&mut bench.raw().await).await.unwrap();
    assert_eq!(ttl, -1, "a build in line expires");
    let first = take(&mut builds).await;
    assert_eq!(first.request_hash, other);
    let claim = take(&mut builds).await;
    assert_eq!((&claim.request_hash, claim.lease.postponed()), (&hash, 0));
    assert_eq!(bench.field(&hash, "tries").await.as_deref(), Some("1"));
    assert_eq!(bench.queue.retry(&hash).await.unwrap(), Retried::Started);
    let attempt = claim.lease.attempt().clone();
    assert_ne!(attempt, before);
    claim.lease.finish(done(&attempt)).await.unwrap();
    assert_eq!(bench.queue.retry(&hash).await.unwrap(), Retried::Done);
    assert_eq!(bench.queue.retry(&build(9).0).await.unwrap(), Retried::Unknown);
}

#[tokio::test]
async fn cancelled_and_given_up_builds_are_retried_too() {
    let bench = Bench::with(&[("max_attempts", "1")]).await;
    let hashes = bench.enqueue([1, 2]).await;
    bench.queue.cancel(&hashes[0]).await.unwrap();
    let mut builds = bench.builds("one");
    drop(take(&mut builds).await);
    bench.finished(&hashes[1]).await;
    for hash in &hashes {
        assert_eq!(bench.queue.retry(hash).await.unwrap(), Retried::Again);
        let claim = take(&mut builds).await;
        assert_eq!(claim.request_hash, *hash);
        let outcome = done(claim.lease.attempt());
        claim.lease.finish(outcome.clone()).await.unwrap();
        assert_eq!(bench.queue.outcome(hash).await.unwrap().unwrap().outcome, outcome);
    }
}

#[tokio::test]
async fn a_build_that_is_put_off_is_due_when_an_operator_says_so() {
    let bench = Bench::with(&[("retry_delay", "1h"), ("retry_delay_max", "1h"), ("retry_for", "2h")]).await;
    let hash = bench.enqueue([1]).await.remove(0);
    let mut builds = bench.builds("one");
    take(&mut builds).await.lease.postpone("the registry is away").await.unwrap();
    takes_nothing(&mut builds).await;
    assert_eq!(bench.queue.retry(&hash).await.unwrap(), Retried::Due);
    // An idle worker is woken by it.
    assert_eq!(take(&mut builds).await.request_hash, hash);
}

#[tokio::test]
async fn what_is_built_again_is_never_unknown_to_a_client_at_its_limit() {
    let bench = Bench::with(&[("client_builds_per_hour", "1"), ("max_pending_jobs", "1")]).await;
    let client = ClientKey::of("192.0.2.1".parse().unwrap());
    let (hash, queued) = build(1);
    let asked = bench.queue.enqueue_for(&client, &hash, &queued).await.unwrap();
    assert!(matches!(asked, Enqueued::New(_)), "{asked:?}");
    let mut builds = bench.builds("one");
    let claim = take(&mut builds).await;
    let attempt = claim.lease.attempt().clone();
    claim.lease.finish(done(&attempt)).await.unwrap();

    let (status, answers) = tokio::join!(bench.queue.build_again(&hash, &attempt), async {
        let mut answers = Vec::new();
        for _ in 0..100 {
            answers.push(bench.queue.enqueue_for(&client, &hash, &queued).await.unwrap());
        }
        answers
    });
    assert!(matches!(status.unwrap(), Some(BuildStatus::Queued { position: 0, .. })));
    assert!(answers.iter().all(|answer| matches!(answer, Enqueued::Known(_))), "{answers:?}");
    // Asked again it is where it is, also for another attempt.
    let again = bench.queue.build_again(&hash, &attempt).await.unwrap();
    assert!(matches!(again, Some(BuildStatus::Queued { .. })), "{again:?}");
    assert_eq!(bench.queue.stored().await.unwrap(), [""; 0]);

    // Without room it is dropped.
    let claim = take(&mut builds).await;
    let attempt = claim.lease.attempt().clone();
    claim.lease.finish(done(&attempt)).await.unwrap();
    bench.enqueue([2]).await;
    let gate = bench.queue.build_again(&hash, &attempt).await.unwrap();
    assert!(gate.is_none() || matches!(bench.status(&hash).await, BuildStatus::Queued { .. }));
}
