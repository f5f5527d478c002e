//! Workers as processes of their own, so that they can be killed and stopped: this test program, started again.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use apalis::prelude::*;
use asu_queue::{Claim, Finished, Gate, Queue, WorkerName};
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use serde::{Deserialize, Serialize};
use tempfile::TempDir;
use tokio::{
    signal::unix::{SignalKind, signal},
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::bench::{Bench, PATIENCE, config, done, eventually, take};

/// What a worker process is told, in its working directory.
const ORDERS: &str = "orders.json";

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Orders {
    pub(crate) settings: Vec<(String, String)>,
    pub(crate) redis_url: String,
    pub(crate) name: String,
    pub(crate) concurrency: usize,
    /// How long a build takes, plus a part that depends on its hash.
    pub(crate) build_ms: u64,
    pub(crate) build_ms_more: u64,
    /// How long running builds may go on after SIGTERM.
    pub(crate) grace_ms: u64,
    /// Finish although the lease is lost, as a worker would that does not know yet.
    pub(crate) stubborn: bool,
}

impl Orders {
    pub(crate) fn new(bench: &Bench, name: &str, build_ms: u64) -> Self {
        Self {
            settings: bench.settings.clone(),
            redis_url: bench.redis.url(),
            name: name.to_owned(),
            concurrency: 1,
            build_ms,
            build_ms_more: 0,
            grace_ms: 100,
            stubborn: false,
        }
    }
}

/// A worker process; killed when dropped.
pub(crate) struct Process {
    child: Child,
    _directory: TempDir,
}

impl Process {
    pub(crate) fn start(orders: &Orders) -> Self {
        let directory = TempDir::new().unwrap();
        fs::write(directory.path().join(ORDERS), serde_json::to_vec(orders).unwrap()).unwrap();
        // setpriv sees to it that no worker outlives the test.
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL"])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", "worker_process::worker_process", "--nocapture"])
            .current_dir(directory.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Self { child, _directory: directory }
    }

    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status().unwrap();
        assert!(status.success());
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the processes note for the test, in Redis beside the queue.
#[derive(Clone)]
struct Notes {
    redis: ConnectionManager,
}

impl Notes {
    /// Notes what became of an attempt, as `hash attempt`. Noted twice is noted once: on a busy machine, or while Redis
    /// restarts, the answer may be lost and the question repeated.
    async fn note(&self, what: &str, attempt: &str) {
        let mut command = redis::cmd("SADD");
        command.arg(format!("notes:{what}")).arg(attempt);
        while command.query_async::<i64>(&mut self.redis.clone()).await.is_err() {
            sleep(Duration::from_millis(50)).await;
        }
    }
}

/// How many attempts at each build were noted.
pub(crate) async fn noted(bench: &Bench, what: &str) -> BTreeMap<String, u64> {
    let key = format!("notes:{what}");
    let attempts: Vec<String> = redis::cmd("SMEMBERS").arg(key).query_async(&mut bench.raw().await).await.unwrap();
    let mut noted = BTreeMap::new();
    for attempt in attempts {
        let (hash, _) = attempt.split_once(' ').unwrap();
        *noted.entry(hash.to_owned()).or_default() += 1;
    }
    noted
}

/// Not a test of its own: the process that the others start. Without orders there is nothing to do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn worker_process() {
    if Path::new(ORDERS).exists() {
        let orders: Orders = serde_json::from_slice(&fs::read(ORDERS).unwrap()).unwrap();
        timeout(Duration::from_secs(120), work(orders)).await.expect("nobody needs a worker for so long");
    }
}

async fn work(orders: Orders) {
    let client = redis::Client::open(orders.redis_url.clone()).unwrap();
    let manager = ConnectionManagerConfig::new().set_number_of_retries(1000).set_max_delay(Duration::from_millis(200));
    let notes = Notes { redis: ConnectionManager::new_lazy_with_config(client, manager).unwrap() };
    let queue = Queue::connect(&config(&orders.settings)).unwrap();
    let name = WorkerName::parse(&orders.name).unwrap();
    let (gate, quit) = (Gate::open(), CancellationToken::new());
    let (concurrency, grace) = (orders.concurrency, Duration::from_millis(orders.grace_ms));
    let handler = {
        let (notes, quit) = (notes.clone(), quit.clone());
        move |claim: Claim| run(claim, orders.clone(), notes.clone(), quit.clone())
    };
    let at_the_end = gate.clone();
    let monitor = Monitor::new().shutdown_timeout(grace + Duration::from_secs(5)).register(move |_| {
        let builds = queue.builds(&name, concurrency, &gate);
        WorkerBuilder::new(name.as_str()).backend(builds).catch_panic().concurrency(concurrency).build(handler.clone())
    });
    let terminate = async move {
        signal(SignalKind::terminate())?.recv().await;
        let hold = at_the_end.hold("the worker ends");
        tokio::spawn(async move {
            sleep(grace).await;
            quit.cancel();
            drop(hold);
        });
        Ok(())
    };
    monitor.run_with_signal(terminate).await.unwrap();
}

async fn run(claim: Claim, orders: Orders, notes: Notes, quit: CancellationToken) {
    let lease = claim.lease;
    let attempt = format!("{} {}", claim.request_hash, lease.attempt());
    notes.note("started", &attempt).await;
    let more = u64::from_str_radix(&attempt[..4], 16).unwrap() % (orders.build_ms_more + 1);
    let building = sleep(Duration::from_millis(orders.build_ms + more));
    tokio::select! {
        () = building => {}
        () = lease.lost().cancelled(), if !orders.stubborn => return notes.note("lost", &attempt).await,
        () = quit.cancelled() => {
            let _ = lease.give_back("the worker ends").await;
            return;
        }
    }
    let outcome = done(lease.attempt());
    match lease.finish(outcome).await {
        Ok(Finished::Accepted) => notes.note("accepted", &attempt).await,
        Ok(Finished::Superseded) => notes.note("superseded", &attempt).await,
        Err(_) => notes.note("unreported", &attempt).await,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_build_of_a_killed_process_is_built_by_another_and_has_one_result() {
    let bench = Bench::start().await;
    let first = Process::start(&Orders::new(&bench, "first", 60_000));
    let hash = bench.enqueue([1]).await.remove(0);
    eventually("the first builds", || async { !noted(&bench, "started").await.is_empty() }).await;
    first.signal("KILL");
    let _second = Process::start(&Orders::new(&bench, "second", 50));
    bench.finished(&hash).await;
    eventually("the second noted it", || async { !noted(&bench, "accepted").await.is_empty() }).await;
    assert_eq!(noted(&bench, "started").await, BTreeMap::from([(hash.to_string(), 2)]));
    assert_eq!(noted(&bench, "accepted").await, BTreeMap::from([(hash.to_string(), 1)]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_late_result_of_a_stopped_process_is_superseded() {
    let bench = Bench::start().await;
    let sleeper = Process::start(&Orders { stubborn: true, ..Orders::new(&bench, "sleeper", 1500) });
    let hash = bench.enqueue([1]).await.remove(0);
    eventually("the sleeper builds", || async { !noted(&bench, "started").await.is_empty() }).await;
    sleeper.signal("STOP");
    let mut builds = bench.builds("other");
    let claim = take(&mut builds).await;
    assert_eq!(claim.request_hash, hash);
    sleeper.signal("CONT");
    eventually("the sleeper reports", || async { !noted(&bench, "superseded").await.is_empty() }).await;
    let attempt = claim.lease.attempt().clone();
    assert_eq!(claim.lease.finish(done(&attempt)).await.unwrap(), Finished::Accepted);
    assert_eq!(bench.queue.outcome(&hash).await.unwrap().unwrap().attempt, attempt);
    assert!(noted(&bench, "accepted").await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_asked_to_end_gives_its_build_back() {
    let bench = Bench::with(&[("lease", "60s"), ("report_timeout", "60s")]).await;
    let mut first = Process::start(&Orders::new(&bench, "first", 60_000));
    let hash = bench.enqueue([1]).await.remove(0);
    eventually("the first builds", || async { !noted(&bench, "started").await.is_empty() }).await;
    first.signal("TERM");
    // Long before the lease would run out.
    assert_eq!(take(&mut bench.builds("other")).await.request_hash, hash);
    assert_eq!(bench.field(&hash, "tries").await.as_deref(), Some("1"));
    timeout(PATIENCE, async {
        while !first.has_ended() {
            sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .expect("the process ends");
}
