//! The workers as an operator sees them, and the records of builds.

use asu_queue::{LiveWorker, WorkerName};

use crate::bench::{Bench, done, eventually, take, takes_nothing};

fn named(name: &str) -> WorkerName {
    WorkerName::parse(name).unwrap()
}

async fn announced(bench: &Bench, count: usize) -> Vec<LiveWorker> {
    eventually("the workers are announced", || async { bench.queue.workers().await.unwrap().len() == count }).await;
    bench.queue.workers().await.unwrap()
}

#[tokio::test]
async fn a_drained_worker_takes_nothing_more_and_ends_what_it_has() {
    let bench = Bench::start().await;
    let hashes = bench.enqueue(1..=3).await;
    let mut first = bench.builds_for("first", 2);
    let claim = take(&mut first).await;
    let workers = announced(&bench, 1).await;
    assert_eq!((workers[0].slots, workers[0].drained, &workers[0].builds[..]), (2, false, &hashes[..1]));

    assert!(bench.queue.set_drained(&named("first"), true).await.unwrap());
    assert!(bench.queue.is_drained(&named("first")).await.unwrap());
    assert!(bench.queue.workers().await.unwrap()[0].drained);
    assert_eq!(bench.counts().await.slots, 0, "nobody can reckon with it");
    takes_nothing(&mut first).await;
    let outcome = done(claim.lease.attempt());
    claim.lease.finish(outcome).await.unwrap();
    takes_nothing(&mut first).await;
    // Others take what it leaves.
    let mut second = bench.builds("second");
    let taken = take(&mut second).await;
    assert_eq!(taken.request_hash, hashes[1]);

    assert!(bench.queue.set_drained(&named("first"), false).await.unwrap());
    assert_eq!(take(&mut first).await.request_hash, hashes[2]);
}

#[tokio::test]
async fn only_a_live_worker_is_drained_and_its_end_is_the_end_of_it() {
    let bench = Bench::start().await;
    assert!(!bench.queue.set_drained(&named("first"), true).await.unwrap());
    let first = bench.builds("first");
    announced(&bench, 1).await;
    assert!(bench.queue.set_drained(&named("first"), true).await.unwrap());
    assert!(!bench.queue.set_drained(&named("firs"), true).await.unwrap());
    first.close().await;
    eventually("it takes its leave", || async { !bench.queue.is_drained(&named("first")).await.unwrap() }).await;
}

#[tokio::test]
async fn the_records_tell_where_everything_is() {
    let bench = Bench::with(&[("retry_delay", "1h"), ("retry_delay_max", "1h"), ("retry_for", "2h")]).await;
    let hashes = bench.enqueue(1..=4).await;
    let mut builds = bench.builds("one");
    take(&mut builds).await.lease.postpone("the registry is away").await.unwrap();
    let mut finished = take(&mut builds).await;
    finished.lease.set_size(12);
    let attempt = finished.lease.attempt().clone();
    finished.lease.finish(done(&attempt)).await.unwrap();
    let running = take(&mut builds).await;
    bench.set_field(&hashes[3], "payload", r#"{"format":9}"#).await;

    let mut known = bench.queue.known_builds().await.unwrap();
    known.sort();
    let mut expected = hashes.clone();
    expected.sort();
    assert_eq!(known, expected);
    let records = bench.queue.records(&hashes).await.unwrap();
    let told: Vec<_> = records.iter().map(|record| (record.state.as_str(), record.line.as_deref())).collect();
    let expected =
        [("queued", Some("delayed")), ("done", None), ("started", Some("running")), ("queued", Some("pending"))];
    assert_eq!(told, expected);
    assert_eq!((records[0].postponed, records[0].due.is_some()), (1, true));
    assert_eq!((records[1].size, records[1].expires.is_some()), (Some(12), true));
    assert_eq!(records[1].stored_name(), Some(format!("{}-{}", hashes[1], &attempt.as_str()[..12])));
    assert_eq!(records[2].worker.as_deref(), Some("one"));
    assert_eq!(records[2].request.as_ref(), Some(&running.build.request));
    assert!(records[3].request.is_none() && records[3].expires.is_none());
    assert_eq!(bench.queue.builds_in_line().await.unwrap().len(), 3);
    assert!(bench.queue.records(&[crate::bench::build(9).0]).await.unwrap().is_empty());
}
