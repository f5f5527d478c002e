//! When a build is likely to be taken.

use std::time::Duration;

use asu_core::RequestHash;
use asu_queue::BuildStatus;

use crate::bench::{Bench, done, eventually, failed, take, take_and_die};

const MEAN: Duration = Duration::from_secs(60);

async fn eta(bench: &Bench, hash: &RequestHash) -> Option<Duration> {
    match bench.status(hash).await {
        BuildStatus::Queued { eta, .. } => eta,
        other => panic!("not queued: {other:?}"),
    }
}

/// The builds at work have run for a moment only.
fn about(eta: Option<Duration>, expected: Duration) -> bool {
    eta.is_some_and(|eta| eta <= expected && eta + Duration::from_secs(20) >= expected)
}

async fn slots(bench: &Bench, slots: u64) {
    eventually("all workers are announced", || async { bench.counts().await.slots == slots }).await;
}

#[tokio::test]
async fn without_a_worker_or_a_past_nobody_can_tell() {
    let bench = Bench::start().await;
    let hash = bench.enqueue([1]).await.remove(0);
    bench.note_durations(&[60_000]).await;
    assert_eq!(eta(&bench, &hash).await, None, "there is no worker");
    let () = redis::cmd("DEL").arg("{test}:durations").query_async(&mut bench.raw().await).await.unwrap();
    let builds = bench.builds("one");
    slots(&bench, 1).await;
    assert_eq!(eta(&bench, &hash).await, None, "there is no past");
    bench.note_durations(&[60_000]).await;
    assert_eq!(eta(&bench, &hash).await, Some(Duration::ZERO), "a worker is idle");
    builds.close().await;
    slots(&bench, 0).await;
    assert_eq!(eta(&bench, &hash).await, None, "the worker left");
}

#[tokio::test]
async fn the_builds_ahead_and_those_at_work_are_waited_for_slot_by_slot() {
    let bench = Bench::start().await;
    let hashes = bench.enqueue(1..=7).await;
    let mut two = bench.builds_for("two", 2);
    let mut one = bench.builds_for("one", 1);
    slots(&bench, 3).await;
    bench.note_durations(&[30_000, 90_000]).await;
    assert_eq!(bench.counts().await.mean_build, Some(MEAN));
    // Three slots, all of them free: a round of three begins every minute.
    for (hash, rounds) in hashes.iter().zip([0, 0, 0, 1, 1, 1, 2]) {
        assert_eq!(eta(&bench, hash).await, Some(MEAN * rounds), "{rounds}");
    }
    let _running = (take(&mut two).await, take(&mut two).await);
    assert_eq!(eta(&bench, &hashes[2]).await, Some(Duration::ZERO), "the third slot is free");
    assert!(about(eta(&bench, &hashes[3]).await, MEAN));
    let _last = take(&mut one).await;
    for (hash, rounds) in hashes[3..].iter().zip([1, 1, 1, 2]) {
        let eta = eta(&bench, hash).await;
        assert!(about(eta, MEAN * rounds), "{eta:?} for {rounds} rounds");
    }
}

#[tokio::test]
async fn a_build_at_work_needs_only_the_rest_of_its_time() {
    let bench = Bench::start().await;
    let hashes = bench.enqueue([1, 2, 3]).await;
    let _running = take(&mut bench.builds("one")).await;
    let _builds = bench.builds("one");
    slots(&bench, 1).await;
    bench.note_durations(&[60_000]).await;
    let started: u64 = bench.field(&hashes[0], "started_at").await.unwrap().parse().unwrap();
    bench.set_field(&hashes[0], "started_at", &(started - 30_000).to_string()).await;
    assert!(about(eta(&bench, &hashes[1]).await, MEAN / 2));
    assert!(about(eta(&bench, &hashes[2]).await, MEAN / 2 + MEAN));
    bench.set_field(&hashes[0], "started_at", &(started - 500_000).to_string()).await;
    assert_eq!(eta(&bench, &hashes[1]).await, Some(Duration::ZERO), "one that takes longer may end at any time");
}

#[tokio::test]
async fn the_slot_that_is_free_first_counts() {
    let bench = Bench::start().await;
    let hashes = bench.enqueue(1..=4).await;
    let mut builds = bench.builds_for("two", 2);
    let _running = (take(&mut builds).await, take(&mut builds).await);
    slots(&bench, 2).await;
    bench.note_durations(&[60_000]).await;
    let started: u64 = bench.field(&hashes[0], "started_at").await.unwrap().parse().unwrap();
    for (longer, shorter) in [(0, 1), (1, 0)] {
        bench.set_field(&hashes[longer], "started_at", &(started - 30_000).to_string()).await;
        bench.set_field(&hashes[shorter], "started_at", &started.to_string()).await;
        assert!(about(eta(&bench, &hashes[2]).await, MEAN / 2));
        assert!(about(eta(&bench, &hashes[3]).await, MEAN));
    }
}

#[tokio::test]
async fn a_build_that_is_put_off_does_not_start_before_its_time() {
    let bench = Bench::with(&[("retry_delay", "10m"), ("retry_delay_max", "10m")]).await;
    let hash = bench.enqueue([1]).await.remove(0);
    let mut builds = bench.builds("one");
    take(&mut builds).await.lease.postpone("the registry is away").await.unwrap();
    bench.note_durations(&[60_000]).await;
    slots(&bench, 1).await;
    assert!(about(eta(&bench, &hash).await, Duration::from_secs(600)));
}

#[tokio::test]
async fn done_and_failed_builds_are_what_estimates_go_by() {
    let bench = Bench::start().await;
    let hashes = bench.enqueue(1..=40).await;
    let mut builds = bench.builds("one");
    for (number, hash) in hashes.iter().enumerate() {
        let claim = take(&mut builds).await;
        let started: u64 = bench.field(hash, "started_at").await.unwrap().parse().unwrap();
        // The first eight took a day each, but that is long ago.
        let took = if number < 8 { 86_400_000 } else { 10_000 };
        bench.set_field(hash, "started_at", &(started - took).to_string()).await;
        let outcome = if number % 2 == 0 { done(claim.lease.attempt()) } else { failed() };
        claim.lease.finish(outcome).await.unwrap();
    }
    let mut raw = bench.raw().await;
    let known: Vec<u64> =
        redis::cmd("LRANGE").arg("{test}:durations").arg(0).arg(-1).query_async(&mut raw).await.unwrap();
    assert_eq!(known.len(), 32, "the list is bounded");
    let ttl: i64 = redis::cmd("PTTL").arg("{test}:durations").query_async(&mut raw).await.unwrap();
    assert!(ttl > 0, "the list expires");
    let mean = bench.counts().await.mean_build.unwrap();
    assert!(mean >= Duration::from_secs(10) && mean < Duration::from_secs(30), "{mean:?}");
}

#[tokio::test]
async fn a_build_that_nobody_finished_tells_nothing_about_time() {
    let bench = Bench::with(&[("max_attempts", "1")]).await;
    let hash = bench.enqueue([1]).await.remove(0);
    take_and_die(&bench, "dead");
    let mut builds = bench.builds("one");
    crate::bench::takes_nothing(&mut builds).await;
    tokio::select! {
        claim = builds.next() => panic!("{claim:?}"),
        () = bench.finished(&hash) => {}
    }
    assert_eq!(bench.counts().await.mean_build, None);
}
