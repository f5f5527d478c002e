//! Holding a build, losing it and giving it back.

use std::time::Duration;

use asu_core::{BuildFailure, BuildOutcome, Stage};
use asu_queue::{BuildStatus, Finished, LeaseError, Released};
use tokio::time::{Instant, sleep, timeout};

use crate::bench::{Bench, PATIENCE, done, eventually, take, take_and_die, takes_nothing};

#[tokio::test]
async fn progress_is_told_while_the_build_runs() {
    let bench = Bench::start().await;
    let hash = bench.enqueue([1]).await.remove(0);
    let claim = take(&mut bench.builds("one")).await;
    let BuildStatus::Started { stage, build_cmd, request, enqueued_at, started_at } = bench.status(&hash).await else {
        panic!("not started");
    };
    assert_eq!((stage, build_cmd), (Stage::Init, None));
    assert_eq!(*request, claim.build.request);
    assert!(claim.enqueued_at == enqueued_at && started_at >= enqueued_at);

    let command = vec!["make".to_owned(), "image".to_owned()];
    claim.lease.set_stage(Stage::ContainerSetup);
    claim.lease.set_build_cmd(command.clone());
    claim.lease.set_stage(Stage::BuildingImage);
    let expected = (Stage::BuildingImage, Some(command));
    eventually("the progress is told", || async {
        let BuildStatus::Started { stage, build_cmd, .. } = bench.status(&hash).await else { panic!("not started") };
        (stage, build_cmd) == expected
    })
    .await;
}

#[tokio::test]
async fn a_lease_is_kept_for_as_long_as_the_build_takes() {
    let bench = Bench::start().await;
    bench.enqueue([1]).await;
    let claim = take(&mut bench.builds("one")).await;
    let mut other = bench.builds("two");
    // More than two leases long.
    let taken = timeout(Duration::from_secs(7), other.next()).await;
    assert!(taken.is_err(), "{taken:?}");
    claim.lease.verify().await.unwrap();
    let outcome = done(claim.lease.attempt());
    assert_eq!(claim.lease.finish(outcome).await.unwrap(), Finished::Accepted);
}

#[tokio::test]
async fn the_build_of_a_worker_that_died_is_taken_when_its_lease_is_over() {
    let bench = Bench::start().await;
    // Past the time in which a Redis that just started waits for workers to report.
    sleep(Duration::from_secs(4)).await;
    let hashes = bench.enqueue([1, 2]).await;
    let attempt = take_and_die(&bench, "dead");
    let begun = Instant::now();
    let mut other = bench.builds("two");
    let second = take(&mut other).await;
    assert_eq!(second.request_hash, hashes[1]);
    let claim = take(&mut other).await;
    println!("taken again after {:?}, the lease is 3 s", begun.elapsed());
    assert_eq!(claim.request_hash, hashes[0]);
    assert_ne!(claim.lease.attempt(), &attempt);
}

#[tokio::test]
async fn a_build_that_ends_its_worker_each_time_is_given_up() {
    let bench = Bench::with(&[("max_attempts", "2")]).await;
    let hash = bench.enqueue([1]).await.remove(0);
    let last = [take_and_die(&bench, "first"), take_and_die(&bench, "second")].into_iter().next_back().unwrap();
    takes_nothing(&mut bench.builds("third")).await;
    let mut third = bench.builds("third");
    let taking = tokio::spawn(async move { third.next().await });
    bench.finished(&hash).await;
    taking.abort();
    let BuildStatus::Failed(state) = bench.status(&hash).await else { panic!("not failed") };
    assert_ne!(state.attempt, last, "a worker that comes back could still finish it");
    let finished = bench.queue.outcome(&hash).await.unwrap().unwrap();
    let BuildOutcome::Failed(failed) = finished.outcome else { panic!("{:?}", finished.outcome) };
    assert_eq!(failed.failure, BuildFailure::GaveUp { attempts: 2 });
    assert!(bench.ttl(&hash).await <= Duration::from_secs(3600));
}

#[tokio::test]
async fn a_build_that_is_given_back_is_at_the_head_of_the_line_and_lost_no_attempt() {
    let bench = Bench::start().await;
    let hashes = bench.enqueue(1..=3).await;
    let mut builds = bench.builds("one");
    let claim = take(&mut builds).await;
    builds.close().await;
    assert_eq!(bench.position(&hashes[1]).await, 0);
    assert_eq!(claim.lease.give_back("shutting down").await.unwrap(), Released::InLine);
    assert_eq!(bench.position(&hashes[0]).await, 0);
    assert_eq!(bench.field(&hashes[0], "tries").await.as_deref(), Some("0"));
    assert_eq!(take(&mut bench.builds("two")).await.request_hash, hashes[0]);
}

#[tokio::test]
async fn a_dropped_lease_puts_the_build_back_and_counts() {
    let bench = Bench::start().await;
    let hash = bench.enqueue([1]).await.remove(0);
    let mut builds = bench.builds("one");
    drop(take(&mut builds).await);
    let again = take(&mut builds).await;
    assert_eq!(again.request_hash, hash);
    assert_eq!(bench.field(&hash, "tries").await.as_deref(), Some("2"));
}

#[tokio::test]
async fn whoever_lost_the_token_can_change_nothing() {
    let bench = Bench::start().await;
    let hash = bench.enqueue([1]).await.remove(0);
    let mut builds = bench.builds("one");
    let claims = [take(&mut builds).await, {
        bench.set_field(&hash, "state", "queued").await;
        let mut raw = bench.raw().await;
        let () =
            redis::cmd("ZADD").arg("{test}:pending").arg(1).arg(hash.as_str()).query_async(&mut raw).await.unwrap();
        take(&mut bench.builds("two")).await
    }];
    let [first, second] = claims;
    timeout(PATIENCE, first.lease.lost().cancelled()).await.expect("the first is told");
    assert!(matches!(first.lease.verify().await, Err(LeaseError::Lost(_))));
    assert_eq!(first.lease.finish(done(second.lease.attempt())).await.unwrap(), Finished::Superseded);
    assert!(!second.lease.lost().is_cancelled());
    let attempt = second.lease.attempt().clone();
    assert_eq!(second.lease.finish(done(&attempt)).await.unwrap(), Finished::Accepted);
    assert_eq!(bench.queue.outcome(&hash).await.unwrap().unwrap().attempt, attempt);
}
