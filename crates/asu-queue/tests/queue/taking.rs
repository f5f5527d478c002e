//! Taking builds.

use std::{sync::Arc, time::Duration};

use apalis::prelude::*;
use asu_core::{BuildFailure, BuildOutcome};
use asu_queue::{BuildStatus, Claim, Finished, Gate, WorkerName};
use tokio::{
    sync::{Barrier, oneshot},
    time::{Instant, sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::bench::{Bench, PATIENCE, done, eventually, failed, take, takes_nothing};

#[tokio::test]
async fn a_new_build_wakes_an_idle_worker() {
    // The fallback poll is an hour away.
    let bench = Bench::start().await;
    let mut builds = bench.builds("one");
    let mut latencies = Vec::new();
    for number in 1..=20 {
        let hash;
        let begun;
        let claim = {
            let taking = take(&mut builds);
            tokio::pin!(taking);
            assert!(timeout(Duration::from_millis(30), &mut taking).await.is_err());
            hash = bench.enqueue([number]).await.remove(0);
            begun = Instant::now();
            taking.await
        };
        latencies.push(begun.elapsed());
        assert_eq!(claim.request_hash, hash);
        let outcome = done(claim.lease.attempt());
        claim.lease.finish(outcome).await.unwrap();
    }
    latencies.sort();
    println!("enqueue to take: median {:?}, longest {:?}", latencies[10], latencies[19]);
}

#[tokio::test]
async fn nothing_is_taken_while_the_gate_is_shut() {
    let bench = Bench::start().await;
    let gate = Gate::open();
    let hold = gate.hold("the disk is full");
    let mut builds = bench.connect().builds(&WorkerName::parse("one").unwrap(), 1, &gate);
    let hash = bench.enqueue([1]).await.remove(0);
    takes_nothing(&mut builds).await;
    assert_eq!(bench.position(&hash).await, 0);
    drop(hold);
    assert_eq!(take(&mut builds).await.request_hash, hash);
}

#[tokio::test]
async fn a_build_that_was_taken_but_never_handed_out_goes_back_when_the_worker_closes() {
    let bench = Bench::start().await;
    let mut builds = bench.builds("one");
    takes_nothing(&mut builds).await;
    let hash = bench.enqueue([1]).await.remove(0);
    bench.started(&hash).await;
    builds.close().await;
    assert_eq!(bench.position(&hash).await, 0);
    assert_eq!(bench.field(&hash, "tries").await.as_deref(), Some("0"));
}

#[tokio::test]
async fn a_build_that_was_taken_but_never_handed_out_goes_back_when_the_source_is_dropped() {
    let bench = Bench::start().await;
    let mut builds = bench.builds("one");
    takes_nothing(&mut builds).await;
    let hash = bench.enqueue([1]).await.remove(0);
    bench.started(&hash).await;
    drop(builds);
    let mut other = bench.builds("two");
    assert_eq!(take(&mut other).await.request_hash, hash);
}

#[tokio::test]
async fn a_take_whose_answer_was_lost_brings_the_same_build_again() {
    // Polling all the time, so that a take is on its way when Redis hangs.
    let bench = Bench::with(&[("poll_interval", "1ms"), ("lease", "60s"), ("report_timeout", "60s")]).await;
    let mut builds = bench.builds("one");
    // Redis knows both scripts afterwards, so that one command is all it takes.
    bench.enqueue([2]).await;
    take(&mut builds).await.lease.finish(failed()).await.unwrap();
    takes_nothing(&mut builds).await;
    let (hash, queued) = crate::bench::build(1);
    bench.redis.pause();
    // The build is on its way to Redis too; both answers come too late for those who asked.
    assert!(bench.queue.enqueue(&hash, &queued).await.unwrap_err().is_outage());
    bench.redis.resume();
    let begun = Instant::now();
    let claim = take(&mut builds).await;
    assert_eq!(claim.request_hash, hash);
    assert!(begun.elapsed() < Duration::from_secs(60), "only the end of the lease brought it back");
    assert_eq!(bench.field(&hash, "tries").await.as_deref(), Some("1"));
    assert_eq!(bench.counts().await.running, 1);
}

#[tokio::test]
async fn a_payload_of_another_version_is_left_to_a_worker_that_can_read_it() {
    let bench = Bench::with(&[("retry_delay", "1h"), ("retry_delay_max", "1h"), ("retry_for", "2h")]).await;
    let hashes = bench.enqueue([1, 2]).await;
    bench.set_field(&hashes[0], "payload", r#"{"format":9}"#).await;
    let mut builds = bench.builds("one");
    let claim = take(&mut builds).await;
    assert_eq!(claim.request_hash, hashes[1]);
    let counts = bench.counts().await;
    assert_eq!((counts.delayed, counts.running), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn apalis_runs_builds_side_by_side_and_drains() {
    let bench = Bench::start().await;
    let hashes = bench.enqueue(1..=4).await;
    let both = Arc::new(Barrier::new(2));
    let queue = bench.connect();
    let (stop, stopped) = oneshot::channel::<()>();
    let handler = move |claim: Claim| {
        let both = Arc::clone(&both);
        async move {
            // Passes only if two builds run at once.
            both.wait().await;
            let outcome = done(claim.lease.attempt());
            assert_eq!(claim.lease.finish(outcome).await.unwrap(), Finished::Accepted);
        }
    };
    let name = WorkerName::parse("apalis").unwrap();
    let monitor = Monitor::new().register(move |_| {
        let source = queue.builds(&name, 1, &Gate::open());
        WorkerBuilder::new(name.as_str()).backend(source).catch_panic().concurrency(2).build(handler.clone())
    });
    let running = tokio::spawn(monitor.run_with_signal(async {
        let _ = stopped.await;
        Ok(())
    }));
    for hash in &hashes {
        bench.finished(hash).await;
    }
    stop.send(()).unwrap();
    timeout(PATIENCE, running).await.unwrap().unwrap().unwrap();
    assert_eq!(bench.counts().await.running, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_drains_takes_nothing_more() {
    let bench = Bench::start().await;
    let first = bench.enqueue([1]).await.remove(0);
    let queue = bench.connect();
    let name = WorkerName::parse("apalis").unwrap();
    let (begun, go_on) = (CancellationToken::new(), CancellationToken::new());
    let (begins, waits) = (begun.clone(), go_on.clone());
    let monitor = Monitor::new().register(move |_| {
        let (begins, waits) = (begins.clone(), waits.clone());
        let handler = move |claim: Claim| {
            let (begins, waits) = (begins.clone(), waits.clone());
            async move {
                begins.cancel();
                waits.cancelled().await;
                claim.lease.finish(failed()).await.unwrap();
            }
        };
        let source = queue.builds(&name, 1, &Gate::open());
        WorkerBuilder::new(name.as_str()).backend(source).catch_panic().concurrency(2).build(handler)
    });
    let context = monitor.context();
    let running = tokio::spawn(monitor.run());
    // Not only taken but handed out; otherwise it would go back.
    timeout(PATIENCE, begun.cancelled()).await.unwrap();
    context.shutdown().unwrap();
    let second = bench.enqueue([2]).await.remove(0);
    // Something that must not happen has this long to happen.
    sleep(Duration::from_millis(300)).await;
    assert_eq!(bench.position(&second).await, 0);
    go_on.cancel();
    timeout(PATIENCE, running).await.unwrap().unwrap().unwrap();
    assert!(matches!(bench.status(&first).await, BuildStatus::Failed(_)));
    assert_eq!(bench.field(&second, "tries").await.as_deref(), Some("0"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_build_that_panics_each_time_is_given_up() {
    let bench = Bench::start().await;
    let hash = bench.enqueue([1]).await.remove(0);
    let queue = bench.connect();
    let name = WorkerName::parse("apalis").unwrap();
    let monitor = Monitor::new().register(move |_| {
        let source = queue.builds(&name, 1, &Gate::open());
        let handler = |claim: Claim| async move {
            assert!(claim.request_hash.as_str().is_empty(), "a handler that panics while it holds the lease");
        };
        WorkerBuilder::new(name.as_str()).backend(source).catch_panic().concurrency(1).build(handler)
    });
    let running = tokio::spawn(monitor.run());
    bench.finished(&hash).await;
    let finished = bench.queue.outcome(&hash).await.unwrap().unwrap();
    let BuildOutcome::Failed(failed) = finished.outcome else { panic!("{:?}", finished.outcome) };
    assert_eq!(failed.failure, BuildFailure::GaveUp { attempts: 3 });
    running.abort();
    eventually("the worker takes its leave", || async { bench.counts().await.workers == 0 }).await;
}
