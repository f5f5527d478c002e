//! A queue on a private Redis, and what tests do with it again and again.

use std::{future::Future, time::Duration};

use asu_config::Settings;
use asu_core::{
    BuildFailure, BuildLog, BuildOutcome, BuildRequest, BuildResult, FailedBuild, Oversize, PackageSelector,
    RequestHash,
};
use asu_queue::{
    AttemptId, BuildSource, BuildStatus, Claim, Config, Counts, Enqueued, Gate, Queue, QueuedBuild, WorkerName,
};
use asu_test_support::RedisServer;
use redis::aio::MultiplexedConnection;
use tokio::time::{Instant, sleep, timeout};

/// Nothing here takes longer unless it is broken.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Times are short, and still long enough for a machine with much else to do; the fallback poll is so long that whatever depends on it fails.
const SETTINGS: [(&str, &str); 8] = [
    ("lease", "3s"),
    ("redis_timeout", "1s"),
    ("poll_interval", "1h"),
    ("report_timeout", "15s"),
    ("retry_delay", "50ms"),
    ("retry_delay_max", "200ms"),
    ("retry_for", "10m"),
    ("redis_prefix", "{test}:"),
];

pub(crate) struct Bench {
    pub(crate) redis: RedisServer,
    pub(crate) settings: Vec<(String, String)>,
    pub(crate) queue: Queue,
}

impl Bench {
    pub(crate) async fn start() -> Self {
        Self::with(&[]).await
    }

    pub(crate) async fn with(changes: &[(&str, &str)]) -> Self {
        let redis = RedisServer::start().await;
        let url = redis.url();
        let own = [("redis_url", url.as_str())];
        let all = SETTINGS.iter().chain(changes).chain(&own);
        let settings: Vec<_> = all.map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let queue = Queue::connect(&config(&settings)).unwrap();
        Self { redis, settings, queue }
    }

    /// A queue with a connection of its own.
    pub(crate) fn connect(&self) -> Queue {
        Queue::connect(&config(&self.settings)).unwrap()
    }

    /// The same with other settings.
    pub(crate) fn connect_with(&self, changes: &[(&str, &str)]) -> Queue {
        let changes = changes.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        let settings: Vec<_> = self.settings.iter().cloned().chain(changes).collect();
        Queue::connect(&config(&settings)).unwrap()
    }

    pub(crate) fn builds(&self, worker: &str) -> BuildSource {
        self.builds_for(worker, 1)
    }

    pub(crate) fn builds_for(&self, worker: &str, slots: usize) -> BuildSource {
        self.connect().builds(&WorkerName::parse(worker).unwrap(), slots, &Gate::open())
    }

    /// Redis without the queue in between.
    pub(crate) async fn raw(&self) -> MultiplexedConnection {
        redis::Client::open(self.redis.url()).unwrap().get_multiplexed_async_connection().await.unwrap()
    }

    pub(crate) async fn keys(&self) -> Vec<String> {
        let mut keys: Vec<String> = redis::cmd("KEYS").arg("*").query_async(&mut self.raw().await).await.unwrap();
        keys.sort();
        keys
    }

    pub(crate) async fn field(&self, hash: &RequestHash, name: &str) -> Option<String> {
        redis::cmd("HGET").arg(record(hash)).arg(name).query_async(&mut self.raw().await).await.unwrap()
    }

    pub(crate) async fn set_field(&self, hash: &RequestHash, name: &str, value: &str) {
        let mut raw = self.raw().await;
        let () = redis::cmd("HSET").arg(record(hash)).arg(name).arg(value).query_async(&mut raw).await.unwrap();
    }

    pub(crate) async fn ttl(&self, hash: &RequestHash) -> Duration {
        let ttl: i64 = redis::cmd("PTTL").arg(record(hash)).query_async(&mut self.raw().await).await.unwrap();
        Duration::from_millis(u64::try_from(ttl).expect("the record has a time to live"))
    }

    /// As if builds had taken so many milliseconds.
    pub(crate) async fn note_durations(&self, millis: &[u64]) {
        let mut raw = self.raw().await;
        let () = redis::cmd("LPUSH").arg("{test}:durations").arg(millis).query_async(&mut raw).await.unwrap();
    }

    pub(crate) async fn counts(&self) -> Counts {
        self.queue.counts().await.unwrap()
    }

    pub(crate) async fn status(&self, hash: &RequestHash) -> BuildStatus {
        self.queue.status(hash).await.unwrap().expect("the build is known")
    }

    pub(crate) async fn position(&self, hash: &RequestHash) -> u64 {
        match self.status(hash).await {
            BuildStatus::Queued { position, .. } => position,
            other => panic!("not queued: {other:?}"),
        }
    }

    /// Enqueues the builds of these numbers, which must be new.
    pub(crate) async fn enqueue(&self, numbers: impl IntoIterator<Item = u32>) -> Vec<RequestHash> {
        let mut hashes = Vec::new();
        for number in numbers {
            let (hash, build) = build(number);
            let enqueued = self.queue.enqueue(&hash, &build).await.unwrap();
            assert!(matches!(enqueued, Enqueued::New(BuildStatus::Queued { .. })), "{enqueued:?}");
            hashes.push(hash);
        }
        hashes
    }

    pub(crate) async fn started(&self, hash: &RequestHash) {
        eventually("the build starts", || async {
            matches!(self.queue.status(hash).await, Ok(Some(BuildStatus::Started { .. })))
        })
        .await;
    }

    pub(crate) async fn finished(&self, hash: &RequestHash) {
        eventually("the build ends", || async {
            matches!(self.queue.status(hash).await, Ok(Some(BuildStatus::Done(_) | BuildStatus::Failed(_))))
        })
        .await;
    }
}

pub(crate) fn config(settings: &[(String, String)]) -> Config {
    let with = |all: Settings, (key, value): &(String, String)| match (value.parse::<i64>(), value.parse::<bool>()) {
        (Ok(number), _) => all.with(key, number),
        (_, Ok(yes)) => all.with(key, yes),
        (Err(_), Err(_)) => all.with(key, value.as_str()),
    };
    settings.iter().fold(Settings::defaults(), with).section().unwrap()
}

pub(crate) fn record(hash: &RequestHash) -> String {
    format!("{{test}}:b:{hash}")
}

/// A request that differs from those of other numbers.
pub(crate) fn request(number: u32) -> BuildRequest {
    let request = serde_json::json!({
        "distro": "openwrt", "version": "24.10.2", "version_code": "", "target": "ath79/generic",
        "profile": "tplink_archer-c7-v5", "packages": [format!("package-{number}")], "packages_versions": {},
        "diff_packages": false, "defaults": null, "rootfs_size_mb": null, "filesystem": null,
        "repositories": {}, "repositories_mode": "append", "repository_keys": [], "client": null, "from_version": null,
    });
    serde_json::from_value(request).unwrap()
}

pub(crate) fn build(number: u32) -> (RequestHash, QueuedBuild) {
    let request = request(number);
    (RequestHash::of(&request), QueuedBuild::new(request))
}

/// A result that names the attempt which made it.
pub(crate) fn done(attempt: &AttemptId) -> BuildOutcome {
    BuildOutcome::Done(Box::new(BuildResult {
        id: "tplink_archer-c7-v5".to_owned(),
        bin_dir: attempt.to_string(),
        build_at: "2021-01-31T23:48:37.000000Z".to_owned(),
        build_cmd: vec!["make".to_owned(), "image".to_owned()],
        build_cmd_packages: vec!["vim".to_owned()],
        manifest: [("vim".to_owned(), "9.1".to_owned())].into(),
        provenance: None,
        sbom: None,
        log: BuildLog { stdout: "a lot".to_owned(), stderr: String::new() },
        metadata: serde_json::json!({"image_prefix": "openwrt", "titles": []}).as_object().unwrap().clone(),
    }))
}

pub(crate) fn failed() -> BuildOutcome {
    let log = BuildLog { stdout: String::new(), stderr: "too big".to_owned() };
    BuildOutcome::Failed(Box::new(FailedBuild {
        failure: BuildFailure::TooBig(Oversize::default()),
        build_cmd: Vec::new(),
        log,
    }))
}

pub(crate) fn package(claim: &Claim) -> String {
    claim.build.request.packages.iter().map(PackageSelector::to_string).collect()
}

/// The next build; it must come.
pub(crate) async fn take(builds: &mut BuildSource) -> Claim {
    timeout(PATIENCE, builds.next()).await.expect("there is a build to take").unwrap()
}

/// Watches for a while that nothing is taken.
pub(crate) async fn takes_nothing(builds: &mut BuildSource) {
    let taken = timeout(Duration::from_millis(300), builds.next()).await;
    assert!(taken.is_err(), "{taken:?}");
}

pub(crate) async fn eventually<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let deadline = Instant::now() + PATIENCE;
    while !holds().await {
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        sleep(Duration::from_millis(5)).await;
    }
}

/// Takes a build and dies at once, as a killed process does: no heartbeat, nothing given back.
pub(crate) fn take_and_die(bench: &Bench, worker: &str) -> AttemptId {
    let settings = bench.settings.clone();
    let worker = WorkerName::parse(worker).unwrap();
    let process = move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let attempt = runtime.block_on(async {
            let queue = Queue::connect(&config(&settings)).unwrap();
            let mut builds = queue.builds(&worker, 1, &Gate::open());
            let claim = take(&mut builds).await;
            let attempt = claim.lease.attempt().clone();
            std::mem::forget((claim, builds));
            attempt
        });
        runtime.shutdown_background();
        attempt
    };
    std::thread::spawn(process).join().unwrap()
}
