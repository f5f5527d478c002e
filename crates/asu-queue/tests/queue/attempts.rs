//! Which attempts hold a build: what a worker's leavings are judged by.

use asu_queue::Queue;

use crate::bench::{Bench, config, done, take, take_and_die};

#[tokio::test]
async fn an_attempt_is_known_for_as_long_as_it_holds_its_build() {
    let bench = Bench::start().await;
    bench.enqueue([1, 2]).await;
    assert_eq!(bench.queue.running_attempts().await.unwrap(), []);
    let mut builds = bench.builds("one");
    let (first, second) = (take(&mut builds).await, take(&mut builds).await);
    let (first_attempt, second_attempt) = (first.lease.attempt().clone(), second.lease.attempt().clone());
    let mut running = bench.queue.running_attempts().await.unwrap();
    running.sort();
    let mut expected = vec![first_attempt.clone(), second_attempt.clone()];
    expected.sort();
    assert_eq!(running, expected);
    first.lease.finish(done(&first_attempt)).await.unwrap();
    assert_eq!(bench.queue.running_attempts().await.unwrap(), [second_attempt]);
    second.lease.give_back("the test ends").await.unwrap();
    assert_eq!(bench.queue.running_attempts().await.unwrap(), []);
}

#[tokio::test]
async fn a_dead_workers_attempt_is_over_when_its_build_is_taken() {
    let bench = Bench::start().await;
    bench.enqueue([1]).await;
    let dead = take_and_die(&bench, "one");
    let claim = take(&mut bench.builds("two")).await;
    assert_ne!(*claim.lease.attempt(), dead);
    assert_eq!(bench.queue.running_attempts().await.unwrap(), [claim.lease.attempt().clone()]);
}

#[tokio::test]
async fn a_queue_is_known_by_one_name_until_it_loses_its_data() {
    let bench = Bench::start().await;
    let id = bench.queue.id().await.unwrap();
    assert_eq!(bench.connect().id().await.unwrap(), id);
    let other = [("redis_prefix".to_owned(), "{other}:".to_owned())];
    let settings: Vec<_> = bench.settings.iter().cloned().chain(other).collect();
    assert_ne!(Queue::connect(&config(&settings)).unwrap().id().await.unwrap(), id);
    let () = redis::cmd("FLUSHALL").query_async(&mut bench.raw().await).await.unwrap();
    assert_ne!(bench.queue.id().await.unwrap(), id);
}

#[tokio::test]
async fn a_lease_knows_how_often_its_build_was_put_off() {
    let bench = Bench::start().await;
    bench.enqueue([1]).await;
    let mut builds = bench.builds("one");
    for postponed in 0..3 {
        let claim = take(&mut builds).await;
        assert_eq!(claim.lease.postponed(), postponed);
        claim.lease.postpone("the registry is away").await.unwrap();
    }
}
