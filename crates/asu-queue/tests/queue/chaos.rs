//! Everything at once: workers are killed and ended, Redis is restarted, and every build must end exactly once.

use std::{collections::BTreeSet, time::Duration};

use asu_core::RequestHash;
use asu_queue::{BuildStatus, Enqueued, Queue};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use tokio::time::{Instant, sleep};

use crate::{
    bench::{Bench, build, eventually},
    worker_process::{Orders, Process, noted},
};

const BUILDS: u32 = 60;
const SEED: u64 = 20_260_101;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_build_is_lost_or_doubled_whatever_happens() {
    let begun = Instant::now();
    let mut random = StdRng::seed_from_u64(SEED);
    let mut bench = Bench::with(&[("poll_interval", "1s"), ("max_attempts", "1000")]).await;
    let clients: Vec<_> = (0..3).map(|n| tokio::spawn(client(bench.connect(), n))).collect();
    let start = |bench: &Bench, n: u32| {
        let base = Orders::new(bench, &format!("worker-{n}"), 150);
        Process::start(&Orders { build_ms_more: 1200, concurrency: 2, ..base })
    };
    let mut workers: Vec<_> = (0..3).map(|n| start(&bench, n)).collect();
    let (mut kills, mut ends, mut restarts) = (0, 0, 0);
    for step in 1..=24 {
        sleep(Duration::from_millis(random.random_range(200..600))).await;
        let victim = random.random_range(0..workers.len());
        match random.random_range(0..10) {
            _ if step % 8 == 0 => {
                bench.redis.stop().await;
                sleep(Duration::from_millis(random.random_range(0..1500))).await;
                bench.redis.start_again().await;
                restarts += 1;
            }
            0..6 => {
                workers[victim].signal("KILL");
                workers[victim] = start(&bench, 100 + step);
                kills += 1;
            }
            _ => {
                workers[victim].signal("TERM");
                workers.push(start(&bench, 100 + step));
                drop_ended(&mut workers);
                ends += 1;
            }
        }
    }
    for client in clients {
        client.await.unwrap();
    }
    let hashes: Vec<_> = (0..BUILDS).map(|number| build(number).0).collect();
    for hash in &hashes {
        eventually("every build ends", || async { is_done(&bench.queue, hash).await }).await;
    }
    let accepted = noted(&bench, "accepted").await;
    let started: u64 = noted(&bench, "started").await.values().sum();
    println!(
        "{BUILDS} builds, {started} starts, {kills} × SIGKILL, {ends} × SIGTERM, {restarts} Redis restarts, {:?}",
        begun.elapsed()
    );
    assert!(accepted.values().all(|attempts| *attempts == 1), "accepted twice: {accepted:?}");
    let counts = bench.counts().await;
    assert_eq!((counts.pending, counts.running), (0, 0));
    let of_a_build = |key: &String| key.starts_with("{test}:b:") || key.starts_with("{test}:l:");
    let left: BTreeSet<_> = bench.keys().await.into_iter().filter(|key| !of_a_build(key)).collect();
    let expected = [
        "{test}:durations",
        "{test}:seq",
        "{test}:stored",
        "{test}:workers",
        "notes:accepted",
        "notes:lost",
        "notes:started",
        "notes:superseded",
    ];
    assert!(left.iter().all(|key| expected.contains(&key.as_str())), "{left:?}");
}

/// Asks for every build in an order of its own, and again until it is known.
async fn client(queue: Queue, number: u32) {
    let mut random = StdRng::seed_from_u64(SEED + u64::from(number));
    let mut numbers: Vec<u32> = (0..BUILDS).collect();
    for _ in 0..BUILDS {
        let (hash, queued) = build(numbers.swap_remove(random.random_range(0..numbers.len())));
        while !matches!(queue.enqueue(&hash, &queued).await, Ok(Enqueued::New(_) | Enqueued::Known(_))) {
            sleep(Duration::from_millis(50)).await;
        }
        sleep(Duration::from_millis(random.random_range(0..100))).await;
    }
}

async fn is_done(queue: &Queue, hash: &RequestHash) -> bool {
    match queue.status(hash).await {
        Ok(Some(BuildStatus::Done(_))) => true,
        Ok(Some(BuildStatus::Queued { .. } | BuildStatus::Started { .. })) | Err(_) => false,
        other => panic!("{hash} is {other:?}"),
    }
}

fn drop_ended(workers: &mut Vec<Process>) {
    workers.retain_mut(|worker| !worker.has_ended());
}
