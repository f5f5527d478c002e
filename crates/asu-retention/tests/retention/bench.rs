//! A queue and a store of one test, and builds that are done without any container.

use std::{
    fs::{self, File},
    path::PathBuf,
    time::{Duration, SystemTime},
};

use asu_config::Settings;
use asu_core::{BuildLog, BuildOutcome, BuildRequest, BuildResult, RequestHash};
use asu_queue::{BuildSource, Claim, Gate, Queue, QueuedBuild, WorkerName};
use asu_retention::{Config, Swept, sweep};
use asu_store::{BinDir, Store};
use asu_test_support::RedisServer;
use serde_json::json;
use tempfile::TempDir;
use tokio::time::timeout;

/// Nothing here takes longer unless it is broken.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The bytes of each build.
pub(crate) const SIZE: u64 = 1000;

pub(crate) struct Bench {
    pub(crate) queue: Queue,
    pub(crate) store: Store,
    pub(crate) config: Config,
    pub(crate) redis: RedisServer,
    builds: BuildSource,
    directory: TempDir,
}

impl Bench {
    pub(crate) async fn with(changes: &[(&str, &str)]) -> Self {
        let (redis, directory) = (RedisServer::start().await, TempDir::new().unwrap());
        let own = [("redis_url", redis.url()), ("public_path", directory.path().display().to_string())];
        let settings = own.into_iter().fold(Settings::defaults(), |all, (key, value)| all.with(key, value));
        // Whatever the disk of the tests has.
        let settings = settings.with("store_min_free", 0).with("redis_timeout", "5s").with("lease", "20s");
        let settings = changes.iter().fold(settings, |all, (key, value)| match value.parse::<i64>() {
            Ok(number) => all.with(key, number),
            Err(_) => all.with(key, *value),
        });
        let queue = Queue::connect(&settings.section().unwrap()).unwrap();
        let store = Store::open(&settings.section().unwrap()).await.unwrap();
        let builds = queue.builds(&WorkerName::parse("retention").unwrap(), 1, &Gate::open());
        Self { queue, store, config: settings.section().unwrap(), redis, builds, directory }
    }

    pub(crate) async fn new() -> Self {
        Self::with(&[]).await
    }

    /// Takes the build of this number, with its images staged under the name that is the answer.
    pub(crate) async fn publish(&mut self, number: u32) -> (Claim, BinDir) {
        let request = request(number);
        let hash = RequestHash::of(&request);
        self.queue.enqueue(&hash, &QueuedBuild::new(request)).await.unwrap();
        let mut claim = timeout(PATIENCE, self.builds.next()).await.expect("there is a build to take").unwrap();
        let bin_dir = BinDir::new(hash.as_str(), claim.lease.attempt().as_str()).unwrap();
        let staging = self.store.begin(&bin_dir).await.unwrap();
        fs::write(staging.path().join("image.bin"), vec![7; usize::try_from(SIZE).unwrap()]).unwrap();
        claim.lease.set_size(staging.size().await.unwrap());
        staging.publish().await.unwrap();
        (claim, bin_dir)
    }

    /// Builds this number to its end.
    pub(crate) async fn build(&mut self, number: u32) -> BinDir {
        let (claim, bin_dir) = self.publish(number).await;
        claim.lease.finish(done(&bin_dir)).await.unwrap();
        bin_dir
    }

    pub(crate) async fn sweep(&self) -> Swept {
        sweep(&self.queue, &self.store, &self.config).await.unwrap().expect("nobody else sweeps")
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join("store").join(name)
    }

    /// The names in the store, sorted.
    pub(crate) fn stored(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path("")).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// As if images had been published so long ago.
    pub(crate) fn age(&self, bin_dir: &BinDir, age: Duration) {
        File::open(self.path(bin_dir.as_str())).unwrap().set_modified(SystemTime::now() - age).unwrap();
    }

    pub(crate) async fn is_known(&self, bin_dir: &BinDir) -> bool {
        self.queue.status(&hash(bin_dir)).await.unwrap().is_some()
    }

    /// Says one thing to Redis, as an operator would; the answer.
    pub(crate) fn redis(&self, words: &[&str]) -> String {
        let mut command = std::process::Command::new("redis-cli");
        let output = command.arg("-p").arg(self.redis.port().to_string()).args(words).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// As if the record had expired.
    pub(crate) fn expire(&self, bin_dir: &BinDir) {
        assert_eq!(self.redis(&["DEL", &record(bin_dir)]), "1");
    }
}

pub(crate) fn record(bin_dir: &BinDir) -> String {
    format!("{{asu}}:b:{}", bin_dir.request_hash())
}

pub(crate) fn hash(bin_dir: &BinDir) -> RequestHash {
    RequestHash::parse(bin_dir.request_hash()).unwrap()
}

fn request(number: u32) -> BuildRequest {
    let request = json!({
        "distro": "openwrt", "version": "24.10.2", "version_code": "", "target": "ath79/generic",
        "profile": "tplink_archer-c7-v5", "packages": [format!("package-{number}")], "packages_versions": {},
        "diff_packages": false, "defaults": null, "rootfs_size_mb": null, "filesystem": null,
        "repositories": {}, "repositories_mode": "append", "repository_keys": [], "client": null, "from_version": null,
    });
    serde_json::from_value(request).unwrap()
}

pub(crate) fn done(bin_dir: &BinDir) -> BuildOutcome {
    BuildOutcome::Done(Box::new(BuildResult {
        provenance: None,
        sbom: None,
        id: "tplink_archer-c7-v5".to_owned(),
        bin_dir: bin_dir.to_string(),
        build_at: "2021-01-31T23:48:37.000000Z".to_owned(),
        build_cmd: Vec::new(),
        build_cmd_packages: Vec::new(),
        manifest: Default::default(),
        log: BuildLog::default(),
        metadata: Default::default(),
    }))
}
