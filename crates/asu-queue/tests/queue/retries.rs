//! Trouble of the surroundings.

use std::time::Duration;

use asu_queue::{BuildStatus, Enqueued, Postponed};

use crate::bench::{Bench, build, eventually, take, takes_nothing};

#[tokio::test]
async fn a_build_that_is_put_off_lets_others_go_first_and_keeps_its_place() {
    let bench = Bench::with(&[("retry_delay", "5s"), ("retry_delay_max", "5s"), ("max_pending_jobs", "3")]).await;
    let hashes = bench.enqueue(1..=3).await;
    let mut builds = bench.builds("one");
    let claim = take(&mut builds).await;
    let delay = Duration::from_secs(5);
    assert_eq!(claim.lease.postpone("the registry is away").await.unwrap(), Postponed::For(delay));
    let counts = bench.counts().await;
    assert_eq!((counts.pending, counts.delayed, counts.running), (3, 1, 0));
    assert_eq!(bench.position(&hashes[0]).await, 0);
    let (hash, queued) = build(4);
    assert_eq!(bench.queue.enqueue(&hash, &queued).await.unwrap(), Enqueued::Full { length: 3 });

    let second = take(&mut builds).await;
    assert_eq!(second.request_hash, hashes[1]);
    second.lease.give_back("time passes").await.unwrap();
    let mut taken = Vec::new();
    for _ in 0..3 {
        taken.push(take(&mut builds).await);
    }
    let order: Vec<_> = taken.iter().map(|claim| claim.request_hash.clone()).collect();
    assert_eq!(order, [hashes[1].clone(), hashes[2].clone(), hashes[0].clone()]);
    assert_eq!(bench.field(&hashes[0], "tries").await.as_deref(), Some("1"));
}

#[tokio::test]
async fn the_delay_grows() {
    let bench = Bench::start().await;
    bench.enqueue([1]).await;
    let mut builds = bench.builds("one");
    for milliseconds in [50, 100, 200, 200] {
        let postponed = take(&mut builds).await.lease.postpone("the registry is away").await.unwrap();
        assert_eq!(postponed, Postponed::For(Duration::from_millis(milliseconds)));
    }
}

#[tokio::test]
async fn after_too_much_trouble_the_record_is_dropped_and_the_request_may_be_made_anew() {
    let bench = Bench::with(&[("retry_delay", "20ms"), ("retry_delay_max", "50ms"), ("retry_for", "5s")]).await;
    let hash = bench.enqueue([1]).await.remove(0);
    let mut builds = bench.builds("one");
    let mut tries = 0;
    while take(&mut builds).await.lease.postpone("the registry is away").await.unwrap() != Postponed::Dropped {
        tries += 1;
        assert!(matches!(bench.status(&hash).await, BuildStatus::Queued { .. } | BuildStatus::Started { .. }));
    }
    assert!(tries > 3, "{tries}");
    assert!(bench.queue.status(&hash).await.unwrap().is_none());
    let counts = bench.counts().await;
    assert_eq!((counts.pending, counts.running), (0, 0));
    takes_nothing(&mut builds).await;
    bench.enqueue([1]).await;
    eventually("it is taken", || async { bench.counts().await.running == 1 }).await;
}
