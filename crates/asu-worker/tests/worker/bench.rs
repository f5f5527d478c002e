//! A queue, a store and a worker of one test.

use std::{
    fmt::Debug,
    fs,
    future::Future,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use asu_config::Settings;
use asu_core::{
    BuildFailure, BuildOutcome, BuildRequest, BuildResult, FailedBuild, RequestForm, RequestHash, RequestLimits,
};
use asu_queue::{BuildStatus, Enqueued, LogContent, LogEntry, Queue, QueuedBuild};
use asu_sandbox::Podman;
use asu_service::Shutdown;
use asu_test_support::{RedisServer, Surroundings};
use asu_worker::Config;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// The longest that a test waits for anything.
pub(crate) const PATIENCE: Duration = Duration::from_secs(180);

const LIMITS: RequestLimits = RequestLimits {
    packages: 100,
    name_length: 100,
    defaults_length: 10_000,
    rootfs_size_mb: 1024,
    repositories: 4,
    repository_keys: 4,
    repository_key_size: 4096,
};

/// A private Redis and a private store, and the settings for workers on them.
pub(crate) struct Bench {
    pub(crate) redis: RedisServer,
    pub(crate) queue: Queue,
    pub(crate) settings: Settings,
    directory: TempDir,
    podman: Podman,
    queue_id: String,
}

/// A worker that runs in this process.
pub(crate) struct RunningWorker {
    pub(crate) shutdown: Shutdown,
    pub(crate) address: String,
    running: JoinHandle<anyhow::Result<()>>,
}

impl Bench {
    /// `changes` to settings that are quick to notice and to try again.
    pub(crate) async fn with(changes: &[(&str, &str)]) -> Self {
        let redis = RedisServer::start().await;
        let directory = TempDir::new().unwrap();
        let around = Surroundings::get();
        let common = [
            ("redis_url", redis.url()),
            ("redis_timeout", "2s".to_owned()),
            ("lease", "6s".to_owned()),
            ("retry_delay", "1s".to_owned()),
            ("retry_delay_max", "2s".to_owned()),
            ("public_path", directory.path().display().to_string()),
            ("store_min_free", "1MiB".to_owned()),
            ("podman_socket", around.podman_socket.display().to_string()),
            ("base_container", around.base_container.clone()),
            // A missing image is missing; what is made of archives has tests of its own.
            ("imagebuilder_base", String::new()),
            ("container_memory", "512MiB".to_owned()),
            ("shutdown_grace", "1m".to_owned()),
            // Podman removes soon what a test leaves that fails.
            ("job_timeout", "3m".to_owned()),
            ("podman_transfer_timeout", "2m".to_owned()),
        ];
        let settings =
            common.into_iter().fold(Settings::defaults(), |settings, (key, value)| settings.with(key, value));
        let settings = changes.iter().fold(settings, |settings, (key, value)| settings.with(key, *value));
        let queue = Queue::connect(&settings.section().unwrap()).unwrap();
        let podman = Podman::connect(
            &settings.clone().with("podman_socket", around.podman_socket.display().to_string()).section().unwrap(),
        );
        let queue_id = queue.id().await.unwrap();
        Self { redis, queue, settings, directory, podman: podman.unwrap(), queue_id }
    }

    pub(crate) async fn new() -> Self {
        Self::with(&[]).await
    }

    /// Starts a worker with these settings.
    pub(crate) async fn worker(&self) -> RunningWorker {
        self.worker_with(&[]).await
    }

    pub(crate) async fn worker_with(&self, changes: &[(&str, i64)]) -> RunningWorker {
        let settings = changes.iter().fold(self.settings.clone(), |settings, (key, value)| settings.with(key, *value));
        let config = Config::load(&settings).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let shutdown = Shutdown::new();
        let running = tokio::spawn(asu_worker::run(config, listener, shutdown.clone()));
        RunningWorker { shutdown, address, running }
    }

    /// The real program, which can be killed as nothing in this process can.
    pub(crate) fn process(&self, name: &str) -> Child {
        let table: toml::Table = self.settings.section().unwrap();
        let keys = [
            "redis_url",
            "redis_timeout",
            "lease",
            "public_path",
            "store_min_free",
            "podman_socket",
            "base_container",
            "container_memory",
            "shutdown_grace",
            "upstream_url",
            "upstream_mirror_url",
        ];
        let mut command = Command::new(env!("CARGO_BIN_EXE_asu-worker"));
        command.env_clear().env("LISTEN", "127.0.0.1:0").env("WORKER_NAME", name);
        command.envs(keys.map(|key| (key.to_uppercase(), table[key].as_str().unwrap())));
        command.current_dir(self.directory.path()).stdin(Stdio::null()).stderr(Stdio::null());
        command.spawn().unwrap()
    }

    pub(crate) async fn enqueue(&self, request: &BuildRequest) -> RequestHash {
        let hash = RequestHash::of(request);
        let enqueued = self.queue.enqueue(&hash, &QueuedBuild::new(request.clone())).await.unwrap();
        assert!(matches!(enqueued, Enqueued::New(_)), "{enqueued:?}");
        hash
    }

    /// Waits for the end of a build.
    pub(crate) async fn outcome(&self, hash: &RequestHash) -> BuildOutcome {
        until("the build ends", || async { self.queue.outcome(hash).await.unwrap().map(|finished| finished.outcome) })
            .await
    }

    pub(crate) async fn build(&self, request: &BuildRequest) -> BuildOutcome {
        let hash = self.enqueue(request).await;
        self.outcome(&hash).await
    }

    /// Waits until the build is at work on its images.
    pub(crate) async fn until_building(&self, hash: &RequestHash) {
        until("the build is at its images", || async {
            let status = self.queue.status(hash).await.unwrap();
            matches!(status, Some(BuildStatus::Started { stage: asu_core::Stage::BuildingImage, .. })).then_some(())
        })
        .await;
    }

    /// Waits until the build waits to be tried again.
    pub(crate) async fn until_put_off(&self, hash: &RequestHash) {
        until("the build is put off", || async {
            let counts = self.queue.counts().await.unwrap();
            let queued = matches!(self.queue.status(hash).await.unwrap(), Some(BuildStatus::Queued { .. }));
            (queued && counts.delayed == 1).then_some(())
        })
        .await;
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.directory.path().join("store")
    }

    /// The names in the store, of whatever kind.
    pub(crate) fn stored(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.store())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// Waits until no container of these builds is left, and sees that nothing unfinished is in the store.
    pub(crate) async fn assert_clean(&self, hashes: &[&RequestHash]) {
        for hash in hashes {
            until("the containers are gone", || async { self.containers(hash).await.is_empty().then_some(()) }).await;
        }
        until("nothing unfinished is in the store", || async {
            self.stored().iter().all(|name| !name.contains(".tmp-")).then_some(())
        })
        .await;
    }

    /// The containers of a build of this queue.
    pub(crate) async fn containers(&self, hash: &RequestHash) -> Vec<String> {
        // Other tests may build the same request.
        let ours = self.podman.list("asu.queue", &self.queue_id).await.unwrap();
        let of_hash = self.podman.list("asu.request_hash", hash.as_str()).await.unwrap();
        of_hash.into_iter().filter(|name| ours.contains(name)).collect()
    }

    /// What was told of a build while it ran.
    pub(crate) async fn live_log(&self, hash: &RequestHash) -> String {
        let view = self.queue.log(hash, None).await.unwrap().expect("there is such a build");
        let text = |entry: LogEntry| if let LogContent::Text(text) = entry.content { Some(text) } else { None };
        view.entries.into_iter().filter_map(text).collect()
    }

    /// Says one thing to Redis, as an operator would.
    pub(crate) async fn redis_command(&self, command: &str) {
        let mut connection = TcpStream::connect(("127.0.0.1", self.redis.port())).await.unwrap();
        connection.write_all(format!("{command}\r\nQUIT\r\n").as_bytes()).await.unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("+OK"), "{answer}");
    }
}

impl RunningWorker {
    /// Asks the worker's own endpoint; the status and the body.
    pub(crate) async fn get(&self, path: &str) -> (u16, String) {
        let mut connection = TcpStream::connect(&self.address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
        connection.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    /// Waits until `/ready` answers so.
    pub(crate) async fn until_ready_is(&self, expected: u16) -> Value {
        until("/ready changes", || async {
            let (status, body) = self.get("/ready").await;
            (status == expected).then(|| serde_json::from_str(&body).unwrap())
        })
        .await
    }

    /// The value of a metric, named with its labels.
    pub(crate) async fn metric(&self, name: &str) -> f64 {
        let (_, text) = self.get("/metrics").await;
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')).unwrap_or("0");
        line.parse().unwrap()
    }

    /// Ends it and waits until it has.
    pub(crate) async fn stop(self) {
        self.shutdown.begin();
        tokio::time::timeout(PATIENCE, self.running).await.expect("the worker ends").unwrap().unwrap();
    }
}

/// A request for a small image; `changes` are fields of the wire.
pub(crate) fn request(changes: Value) -> BuildRequest {
    let mut body = json!({"version": "24.10.4", "target": "ath79/generic", "profile": "buffalo_wzr-hp-g300nh-rb"});
    body.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    BuildRequest::parse(body.to_string().as_bytes(), RequestForm::Prepared, &LIMITS).unwrap()
}

/// A request with these packages.
pub(crate) fn request_for(packages: &[&str]) -> BuildRequest {
    request(json!({"packages": packages}))
}

#[track_caller]
pub(crate) fn done(outcome: BuildOutcome) -> BuildResult {
    match outcome {
        BuildOutcome::Done(result) => *result,
        BuildOutcome::Failed(failed) => panic!("{failed:#?}"),
    }
}

#[track_caller]
pub(crate) fn failed(outcome: BuildOutcome) -> FailedBuild {
    match outcome {
        BuildOutcome::Failed(failed) => *failed,
        BuildOutcome::Done(result) => panic!("{result:#?}"),
    }
}

#[track_caller]
pub(crate) fn failure(outcome: BuildOutcome) -> BuildFailure {
    failed(outcome).failure
}

/// Asks again and again until there is an answer.
pub(crate) async fn until<T: Debug, F: Future<Output = Option<T>>>(what: &str, mut ask: impl FnMut() -> F) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(begun.elapsed() < PATIENCE, "waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The SHA-256 of a file.
pub(crate) fn sha256(path: &Path) -> String {
    use sha2::{Digest, Sha256};
    hex::encode(Sha256::digest(fs::read(path).unwrap()))
}

/// Sends a signal, by its name without `SIG`.
pub(crate) fn signal(process: &Child, name: &str) {
    let status = Command::new("kill").arg(format!("-{name}")).arg(process.id().to_string()).status().unwrap();
    assert!(status.success());
}
