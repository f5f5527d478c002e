//! Redis away, hanging, restarted, emptied.

use std::time::Duration;

use asu_queue::{BuildStatus, Enqueued, Finished, Gate, Queue, QueueError, WorkerName};
use tokio::time::{Instant, sleep, timeout};

use crate::bench::{Bench, PATIENCE, build, config, done, eventually, failed, take, take_and_die, takes_nothing};

#[tokio::test]
async fn everything_starts_while_redis_is_down_and_recovers_by_itself() {
    let mut bench = Bench::start().await;
    bench.redis.stop().await;
    let queue = bench.connect();
    let mut builds = bench.builds("one");
    takes_nothing(&mut builds).await;
    assert!(queue.ping().await.unwrap_err().is_outage());
    bench.redis.start_again().await;
    eventually("Redis answers", || async { queue.ping().await.is_ok() }).await;
    let (hash, queued) = build(1);
    assert!(matches!(queue.enqueue(&hash, &queued).await.unwrap(), Enqueued::New(_)));
    assert_eq!(take(&mut builds).await.request_hash, hash);
}

#[tokio::test]
async fn a_restart_is_waited_out_by_an_idle_worker() {
    let mut bench = Bench::start().await;
    let mut builds = bench.builds("one");
    takes_nothing(&mut builds).await;
    bench.redis.stop().await;
    bench.redis.start_again().await;
    eventually("Redis answers", || async { bench.queue.ping().await.is_ok() }).await;
    let hash = bench.enqueue([1]).await.remove(0);
    // The listener has its own connection to make again; without it the next look would be an hour away.
    assert_eq!(take(&mut builds).await.request_hash, hash);
}

#[tokio::test]
async fn builds_in_line_and_finished_builds_survive_a_restart() {
    let mut bench = Bench::start().await;
    let hashes = bench.enqueue(1..=3).await;
    let claim = take(&mut bench.builds("one")).await;
    let outcome = done(claim.lease.attempt());
    claim.lease.finish(outcome.clone()).await.unwrap();
    bench.redis.stop().await;
    bench.redis.start_again().await;
    eventually("Redis answers", || async { bench.queue.ping().await.is_ok() }).await;
    assert_eq!(bench.queue.outcome(&hashes[0]).await.unwrap().unwrap().outcome, outcome);
    let mut builds = bench.builds("two");
    for hash in &hashes[1..] {
        assert_eq!(&take(&mut builds).await.request_hash, hash);
    }
}

#[tokio::test]
async fn a_build_goes_on_while_redis_is_away_and_is_still_its_workers_afterwards() {
    let mut bench = Bench::start().await;
    let hash = bench.enqueue([1]).await.remove(0);
    let claim = take(&mut bench.builds("one")).await;
    let mut other = bench.builds("two");
    takes_nothing(&mut other).await;
    bench.redis.stop().await;
    // The lease runs out in the meantime.
    sleep(Duration::from_secs(4)).await;
    assert!(!claim.lease.lost().is_cancelled());
    bench.redis.start_again().await;
    takes_nothing(&mut other).await;
    claim.lease.verify().await.unwrap();
    let outcome = done(claim.lease.attempt());
    assert_eq!(claim.lease.finish(outcome).await.unwrap(), Finished::Accepted);
    assert_eq!(bench.field(&hash, "tries").await.as_deref(), Some("1"));
}

#[tokio::test]
async fn after_a_restart_workers_have_the_time_of_a_lease_to_report() {
    let mut bench = Bench::with(&[("lease", "4s"), ("poll_interval", "10ms")]).await;
    let hash = bench.enqueue([1]).await.remove(0);
    take_and_die(&bench, "dead");
    bench.redis.stop().await;
    // The lease runs out in the meantime.
    sleep(Duration::from_millis(4100)).await;
    bench.redis.start_again().await;
    let mut builds = bench.builds("two");
    takes_nothing(&mut builds).await;
    assert_eq!(take(&mut builds).await.request_hash, hash);
}

#[tokio::test]
async fn an_outcome_is_reported_when_redis_is_back() {
    let mut bench = Bench::start().await;
    let hash = bench.enqueue([1]).await.remove(0);
    let claim = take(&mut bench.builds("one")).await;
    bench.redis.stop().await;
    let outcome = done(claim.lease.attempt());
    let finishing = tokio::spawn(claim.lease.finish(outcome));
    sleep(Duration::from_millis(700)).await;
    assert!(!finishing.is_finished());
    bench.redis.start_again().await;
    assert_eq!(timeout(PATIENCE, finishing).await.unwrap().unwrap().unwrap(), Finished::Accepted);
    bench.finished(&hash).await;
}

#[tokio::test]
async fn an_outcome_whose_acceptance_was_lost_on_the_way_is_accepted_again() {
    let bench = Bench::start().await;
    let hashes = bench.enqueue([1, 2]).await;
    let mut builds = bench.builds("one");
    let claims = [take(&mut builds).await, take(&mut builds).await];
    let [first, claim] = claims;
    // Redis knows the script afterwards, so that one command is all it takes.
    first.lease.finish(failed()).await.unwrap();
    bench.redis.pause();
    let outcome = done(claim.lease.attempt());
    let finishing = tokio::spawn(claim.lease.finish(outcome));
    // Long enough for several tries, each of which Redis will read.
    sleep(Duration::from_millis(2500)).await;
    bench.redis.resume();
    assert_eq!(timeout(PATIENCE, finishing).await.unwrap().unwrap().unwrap(), Finished::Accepted);
    assert!(matches!(bench.status(&hashes[1]).await, BuildStatus::Done(_)));
}

#[tokio::test]
async fn a_worker_that_cannot_report_in_time_gives_up() {
    let mut bench = Bench::with(&[("report_timeout", "3s")]).await;
    bench.enqueue([1]).await;
    let claim = take(&mut bench.builds("one")).await;
    bench.redis.stop().await;
    let outcome = done(claim.lease.attempt());
    let error = timeout(PATIENCE, claim.lease.finish(outcome)).await.unwrap().unwrap_err();
    assert!(error.is_outage(), "{error:?}");
}

#[tokio::test]
async fn hanging_redis_is_an_error_in_bounded_time() {
    let bench = Bench::with(&[("redis_timeout", "5s"), ("lease", "15s")]).await;
    let hash = bench.enqueue([1]).await.remove(0);
    bench.redis.pause();
    let mut waits = Vec::new();
    for _ in 0..4 {
        let begun = Instant::now();
        let error = bench.queue.status(&hash).await.unwrap_err();
        assert!(matches!(error, QueueError::Unavailable { .. }), "{error:?}");
        waits.push(begun.elapsed());
    }
    println!("with a limit of 5 s the callers waited {waits:?}");
    assert!(waits[0] < PATIENCE, "{waits:?}");
    // A tenth of the limit, and much of a busy machine.
    assert!(waits[2..].iter().all(|wait| *wait < Duration::from_secs(5)), "nobody was told at once: {waits:?}");
    bench.redis.resume();
    eventually("Redis answers", || async { bench.queue.status(&hash).await.is_ok() }).await;
}

#[tokio::test]
async fn a_socket_serves_as_well_as_a_port() {
    let bench = Bench::start().await;
    let mut settings = bench.settings.clone();
    settings.push(("redis_url".to_owned(), bench.redis.socket_url()));
    let queue = Queue::connect(&config(&settings)).unwrap();
    let hash = bench.enqueue([1]).await.remove(0);
    let mut builds = queue.builds(&WorkerName::parse("one").unwrap(), 1, &Gate::open());
    assert_eq!(take(&mut builds).await.request_hash, hash);
}

#[tokio::test]
async fn an_outage_says_what_is_in_the_way() {
    let bench = Bench::start().await;
    let mut raw = bench.raw().await;
    let () = redis::cmd("CONFIG").arg("SET").arg("requirepass").arg("secret").query_async(&mut raw).await.unwrap();
    let error = bench.connect().ping().await.unwrap_err();
    let mut causes = Vec::new();
    let mut cause: Option<&dyn std::error::Error> = Some(&error);
    while let Some(this) = cause {
        causes.push(this.to_string());
        cause = this.source();
    }
    println!("{}", causes.join(": "));
    assert!(error.is_outage());
    assert!(causes.iter().any(|text| text.contains("uth")), "{causes:?}");
}

#[tokio::test]
async fn emptied_redis_ends_running_builds_and_starts_afresh() {
    let bench = Bench::start().await;
    let hash = bench.enqueue([1]).await.remove(0);
    let mut builds = bench.builds("one");
    let claim = take(&mut builds).await;
    let () = redis::cmd("FLUSHALL").query_async(&mut bench.raw().await).await.unwrap();
    bench.enqueue([1]).await;
    let again = take(&mut builds).await;
    timeout(PATIENCE, claim.lease.lost().cancelled()).await.expect("the lease is lost");
    let late = done(claim.lease.attempt());
    assert_eq!(claim.lease.finish(late).await.unwrap(), Finished::Superseded);
    let attempt = again.lease.attempt().clone();
    assert_eq!(again.lease.finish(done(&attempt)).await.unwrap(), Finished::Accepted);
    assert_eq!(bench.queue.outcome(&hash).await.unwrap().unwrap().attempt, attempt);
}
