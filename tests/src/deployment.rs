//! Redis, a fixture upstream, prepare, build and workers: a whole server for one test.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use asu_test_support::{FakeUpstream, RedisServer, Surroundings};
use reqwest::Client;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    answer::Answer,
    process::{Process, Settings, binary},
};

/// The longest that a build of the miniature ImageBuilder may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(300);

/// A server made of separate processes. Everything of it ends with the test.
pub struct Deployment {
    /// Its Redis.
    pub redis: RedisServer,
    /// Its upstream.
    pub upstream: FakeUpstream,
    /// The prepare service.
    pub prepare: Process,
    /// The build service.
    pub build: Process,
    /// The workers.
    pub workers: Vec<Process>,
    /// A client without manners of its own.
    pub client: Client,
    /// The name that its workers share.
    pub name: String,
    settings: Settings,
    directory: TempDir,
}

/// A request that a fixture profile can be built with.
pub fn request(version: &str, packages: &[&str]) -> Value {
    json!({"version": version, "target": "x86/64", "profile": "generic", "packages": packages, "client": "e2e"})
}

impl Deployment {
    /// Prepare, build and one worker with the defaults of an operator who allows first-boot scripts.
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// The same with other settings.
    pub async fn start_with(settings: &[(&str, &str)]) -> Self {
        let mut deployment = Self::without_workers(settings).await;
        deployment.add_worker();
        deployment
    }

    /// The same without a worker.
    pub async fn without_workers(extra: &[(&str, &str)]) -> Self {
        let surroundings = Surroundings::get();
        let redis = RedisServer::start().await;
        let upstream = FakeUpstream::serving(&surroundings.upstream_tree).await;
        let directory = TempDir::new().unwrap();
        let name = format!("e2e-{:08x}", rand::random::<u32>());
        let mut settings = settings(surroundings, &redis.url(), &upstream.url(), directory.path());
        settings.extend(extra.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
        let prepare = Process::start("asu-prepare", &[], directory.path(), &settings);
        let build = Process::start("asu-build", &[], directory.path(), &settings);
        let (workers, client) = (Vec::new(), Client::new());
        Self { redis, upstream, prepare, build, workers, client, name, settings, directory }
    }

    /// One more process of this deployment, which ends when it is dropped.
    pub fn spawn(&self, binary: &str) -> Process {
        Process::start(binary, &[], self.directory.path(), &self.settings)
    }

    /// One more worker, on the same Podman and store.
    pub fn add_worker(&mut self) {
        self.add_worker_with(&[]);
    }

    /// One more worker with other settings than the rest.
    pub fn add_worker_with(&mut self, extra: &[(&str, &str)]) {
        let mut settings = self.settings.clone();
        settings.extend(extra.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
        settings.push(("worker_name".to_owned(), format!("{}-{}", self.name, self.workers.len())));
        self.workers.push(Process::start("asu-worker", &[], self.directory.path(), &settings));
    }

    /// Runs a command of an operator on its queue and its store; the exit code and the document.
    pub fn admin(&self, words: &[&str]) -> (i32, Value) {
        let output = std::process::Command::new(binary("asu"))
            .args([&["admin", "--json"], words].concat())
            .current_dir(self.directory.path())
            .env_clear()
            .envs(self.settings.iter().map(|(key, value)| (key.to_uppercase(), value)))
            .output()
            .unwrap();
        let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        let document = serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error}: {stdout}{stderr}"));
        (output.status.code().unwrap(), document)
    }

    /// Starts the build service again, on another port.
    pub fn restart_build(&mut self) {
        self.build = self.spawn("asu-build");
    }

    /// The directory of the images.
    pub fn store(&self) -> PathBuf {
        self.directory.path().join("public/store")
    }

    /// The names of everything in the store, without the file by which workers try whether they can write.
    pub fn stored(&self) -> BTreeSet<String> {
        let entries = std::fs::read_dir(self.store()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| !name.starts_with('.')).collect()
    }

    /// Sends a request to the prepare service.
    pub async fn prepare(&self, body: &Value) -> Answer {
        self.post(&format!("{}/api/v1/build/prepare", self.prepare.url()), body).await
    }

    /// Sends a request to the build service.
    pub async fn submit(&self, body: &Value) -> Answer {
        self.post(&format!("{}/api/v1/build", self.build.url()), body).await
    }

    /// Posts to any address.
    pub async fn post(&self, url: &str, body: &Value) -> Answer {
        Answer::read(self.client.post(url).json(body).send().await.unwrap()).await
    }

    /// Asks the build service.
    pub async fn get(&self, path: &str) -> Answer {
        Answer::read(self.client.get(format!("{}{path}", self.build.url())).send().await.unwrap()).await
    }

    /// Asks for a build.
    pub async fn status(&self, request_hash: &str) -> Answer {
        self.get(&format!("/api/v1/build/{request_hash}")).await
    }

    /// Polls as clients do until the build is neither queued nor started.
    pub async fn finished(&self, request_hash: &str) -> Answer {
        self.poll(request_hash, |answer| answer.status != 202).await
    }

    /// Polls until an answer is of a certain kind.
    pub async fn poll(&self, request_hash: &str, wanted: impl Fn(&Answer) -> bool) -> Answer {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let answer = self.status(request_hash).await;
            if wanted(&answer) {
                return answer;
            }
            assert!(Instant::now() < deadline, "still {answer:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Submits a request and waits for its end.
    pub async fn build(&self, body: &Value) -> Answer {
        let answer = self.submit(body).await;
        assert!(answer.status == 202 || answer.status == 200, "{answer:?}");
        self.finished(&answer.request_hash()).await
    }

    /// Downloads a file of a finished build.
    pub async fn download(&self, bin_dir: &str, name: &str) -> Vec<u8> {
        let url = format!("{}/store/{bin_dir}/{name}", self.build.url());
        let response = self.client.get(url).send().await.unwrap();
        assert_eq!(response.status(), 200);
        response.bytes().await.unwrap().to_vec()
    }

    /// Waits until Podman has no container of this deployment's workers.
    pub async fn no_container_is_left(&self) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let containers = self.containers();
            if containers.is_empty() {
                return;
            }
            assert!(Instant::now() < deadline, "left over: {containers:?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// The containers of this deployment's workers, by the value of their label.
    pub fn containers(&self) -> Vec<String> {
        let list = ["ps", "--all", "--format", "{{.ID}} {{.Labels}}", "--filter", "label=asu.worker"];
        let output = Surroundings::get().podman().args(list).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().filter(|line| line.contains(&self.name)).map(str::to_owned).collect()
    }
}

fn settings(surroundings: &Surroundings, redis: &str, upstream: &str, directory: &Path) -> Settings {
    let public = directory.join("public");
    let settings = [
        ("redis_url", redis),
        ("upstream_url", upstream),
        ("public_path", public.to_str().unwrap()),
        ("podman_socket", surroundings.podman_socket.to_str().unwrap()),
        ("base_container", &surroundings.base_container),
        ("allow_defaults", "true"),
        // Whatever the disk of the tests has.
        ("store_min_free", "1MiB"),
        ("log_level", "info"),
    ];
    settings.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}
