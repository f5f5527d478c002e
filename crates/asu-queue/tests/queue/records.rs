//! What is remembered of a build, and for how long.

use std::time::Duration;

use asu_core::{BuildOutcome, PackageName, PackageVersion, RequestHash};
use asu_queue::{BuildStatus, Enqueued, QueueError, QueuedBuild};

use crate::bench::{Bench, build, done, eventually, failed, request, take};

#[tokio::test]
async fn a_finished_build_is_told_in_short_and_in_full() {
    let bench = Bench::start().await;
    let hash = bench.enqueue([1]).await.remove(0);
    assert!(bench.queue.outcome(&hash).await.unwrap().is_none());
    let claim = take(&mut bench.builds("one")).await;
    assert!(bench.queue.outcome(&hash).await.unwrap().is_none());
    let attempt = claim.lease.attempt().clone();
    let outcome = done(&attempt);
    claim.lease.finish(outcome.clone()).await.unwrap();

    let BuildStatus::Done(state) = bench.status(&hash).await else { panic!("not done") };
    let finished = bench.queue.outcome(&hash).await.unwrap().unwrap();
    assert_eq!((finished.attempt, finished.outcome), (attempt.clone(), outcome));
    assert_eq!(finished.request, request(1));
    assert_eq!((finished.enqueued_at, finished.finished_at), (state.enqueued_at, state.finished_at));
    assert!(state.attempt == attempt && state.enqueued_at <= finished.started_at);
    assert!(finished.finished_at.since(finished.enqueued_at) < Duration::from_secs(20));
}

#[tokio::test]
async fn a_record_lives_for_as_long_as_its_request_allows() {
    let bench = Bench::start().await;
    let mut builds = bench.builds("one");
    let mut pinned = request(2);
    pinned.packages_versions = [(PackageName::parse("vim").unwrap(), PackageVersion::parse("9.1").unwrap())].into();
    let mut scripted = pinned.clone();
    scripted.defaults = Some("echo hello".to_owned());
    let hours = |hours: u64| Duration::from_secs(hours * 3600);
    for (request, fails, ttl) in [
        (request(1), false, hours(24)),
        (pinned.clone(), false, hours(7 * 24)),
        (scripted, false, hours(1) / 2),
        (request(3), true, hours(1)),
    ] {
        let hash = RequestHash::of(&request);
        bench.queue.enqueue(&hash, &QueuedBuild::new(request)).await.unwrap();
        let claim = take(&mut builds).await;
        let outcome = if fails { failed() } else { done(claim.lease.attempt()) };
        claim.lease.finish(outcome).await.unwrap();
        let left = bench.ttl(&hash).await;
        assert!(left <= ttl && left > ttl - Duration::from_secs(30), "{left:?} of {ttl:?}");
    }
}

#[tokio::test]
async fn nothing_is_left_over_but_records_the_counter_and_the_latest_durations() {
    let bench = Bench::with(&[("build_failure_ttl", "300ms"), ("live_log_ttl", "300ms")]).await;
    let hashes = bench.enqueue(1..=3).await;
    let mut builds = bench.builds("one");
    let first = take(&mut builds).await;
    first.lease.give_back("to be taken again").await.unwrap();
    let first = take(&mut builds).await;
    first.lease.postpone("the registry is away").await.unwrap();
    for _ in 0..3 {
        take(&mut builds).await.lease.finish(failed()).await.unwrap();
    }
    builds.close().await;
    for hash in &hashes {
        eventually("the record expires", || async { bench.queue.status(hash).await.unwrap().is_none() }).await;
    }
    eventually("the worker takes its leave", || async { bench.keys().await == ["{test}:durations", "{test}:seq"] })
        .await;
    bench.enqueue(1..=3).await;
}

#[tokio::test]
async fn only_the_attempt_whose_files_are_gone_is_forgotten() {
    let bench = Bench::start().await;
    let mut builds = bench.builds("one");
    let mut attempts = Vec::new();
    for _ in 0..2 {
        let hash = bench.enqueue([1]).await.remove(0);
        let claim = take(&mut builds).await;
        let attempt = claim.lease.attempt().clone();
        assert!(!bench.queue.forget(&hash, &attempt).await.unwrap(), "a running build was forgotten");
        claim.lease.finish(done(&attempt)).await.unwrap();
        attempts.push(attempt);
        if attempts.len() == 1 {
            assert!(bench.queue.forget(&hash, &attempts[0]).await.unwrap());
            assert!(bench.queue.status(&hash).await.unwrap().is_none());
        }
    }
    let (hash, queued) = build(1);
    assert!(!bench.queue.forget(&hash, &attempts[0]).await.unwrap());
    assert!(matches!(bench.queue.enqueue(&hash, &queued).await.unwrap(), Enqueued::Known(BuildStatus::Done(_))));
}

#[tokio::test]
async fn a_state_of_a_newer_version_is_named() {
    let bench = Bench::start().await;
    let hash = bench.enqueue([1]).await.remove(0);
    bench.set_field(&hash, "state", "frozen").await;
    let error = bench.queue.status(&hash).await.unwrap_err();
    assert_eq!(error.to_string(), format!("build {hash} is in the unknown state \"frozen\""));
    assert!(matches!(bench.queue.outcome(&hash).await, Err(QueueError::UnknownState { .. })));
    let (hash, queued) = build(1);
    assert!(matches!(bench.queue.enqueue(&hash, &queued).await, Err(QueueError::UnknownState { .. })));
}

#[tokio::test]
async fn a_record_that_cannot_be_read_says_so() {
    let bench = Bench::start().await;
    let hash = bench.enqueue([1]).await.remove(0);
    let claim = take(&mut bench.builds("one")).await;
    let payload = bench.field(&hash, "payload").await.unwrap();
    bench.set_field(&hash, "payload", r#"{"format":9}"#).await;
    assert!(matches!(bench.queue.status(&hash).await, Err(QueueError::Unreadable { .. })));
    bench.set_field(&hash, "payload", &payload).await;
    let outcome: BuildOutcome = done(claim.lease.attempt());
    claim.lease.finish(outcome).await.unwrap();
    bench.set_field(&hash, "outcome", "{}").await;
    assert!(matches!(bench.queue.outcome(&hash).await, Err(QueueError::Unreadable { .. })));
}

#[tokio::test]
async fn a_build_whose_place_in_line_was_evicted_gets_it_back_when_somebody_asks() {
    let bench = Bench::start().await;
    let hash = bench.enqueue([1]).await.remove(0);
    let mut builds = bench.builds("one");
    let mut raw = bench.raw().await;
    let () = redis::cmd("DEL").arg("{test}:pending").query_async(&mut raw).await.unwrap();
    assert_eq!(bench.position(&hash).await, 0);
    assert_eq!(take(&mut builds).await.request_hash, hash);
}

#[tokio::test]
async fn a_running_build_whose_lease_was_evicted_is_taken_again_in_the_end() {
    let bench = Bench::start().await;
    let hash = bench.enqueue([1]).await.remove(0);
    crate::bench::take_and_die(&bench, "dead");
    let mut raw = bench.raw().await;
    let () = redis::cmd("DEL").arg("{test}:running").query_async(&mut raw).await.unwrap();
    assert!(matches!(bench.status(&hash).await, BuildStatus::Started { .. }));
    assert_eq!(take(&mut bench.builds("two")).await.request_hash, hash);
}
