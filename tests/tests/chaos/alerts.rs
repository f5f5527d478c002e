//! Every alert fires: a real Prometheus scrapes real processes while each thing goes wrong that an alert is for.
//!
//! The rules are those of `deploy/prometheus`, with their minutes made seconds. What they do at their real lengths, and that
//! they are silent while all is well, is for `promtool test rules`.

use std::{
    collections::BTreeSet,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use asu_tests::{Deployment, request};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::sleep;

use crate::ports;

const PATIENCE: Duration = Duration::from_secs(240);

fn deploy(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy").join(name)
}

/// Ended when it is dropped.
struct Prometheus {
    child: Child,
    url: String,
    directory: TempDir,
    fired: BTreeSet<String>,
}

impl Prometheus {
    fn start() -> Self {
        let directory = TempDir::new().unwrap();
        let rules = fs::read_to_string(deploy("prometheus/alerts.yml")).unwrap();
        fs::write(directory.path().join("rules.yml"), hurried(&rules)).unwrap();
        let configuration = "global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}\nrule_files: [rules.yml]\n\
            scrape_configs:\n  - job_name: asu\n    file_sd_configs: [{files: [targets.json], refresh_interval: 1s}]\n";
        fs::write(directory.path().join("prometheus.yml"), configuration).unwrap();
        fs::write(directory.path().join("targets.json"), "[]").unwrap();
        let address = ports::lasting();
        let child = Command::new("prometheus")
            .arg("--config.file=prometheus.yml")
            .args(["--storage.tsdb.path=data", "--log.level=error", "--web.listen-address"])
            .arg(address.to_string())
            .current_dir(directory.path())
            .stdout(Stdio::null())
            .spawn()
            .expect("prometheus is installed");
        Self { child, url: format!("http://{address}"), directory, fired: BTreeSet::new() }
    }

    fn scrape(&self, targets: &[SocketAddr]) {
        let targets: Vec<_> = targets.iter().map(ToString::to_string).collect();
        // It must never read half of it.
        let (file, new) = (self.directory.path().join("targets.json"), self.directory.path().join("targets.new"));
        fs::write(&new, json!([{ "targets": targets }]).to_string()).unwrap();
        fs::rename(new, file).unwrap();
    }

    /// Waits until all of these fired, doing something meanwhile.
    async fn until<F: Future<Output = ()>>(&mut self, alerts: &[&str], mut meanwhile: impl FnMut(usize) -> F) {
        let deadline = Instant::now() + PATIENCE;
        for round in 0.. {
            self.fired.extend(self.firing().await);
            if alerts.iter().all(|alert| self.fired.contains(*alert)) {
                return;
            }
            assert!(Instant::now() < deadline, "not all of {alerts:?} fired, only {:?}", self.fired);
            meanwhile(round).await;
            sleep(Duration::from_millis(500)).await;
        }
    }

    /// Nothing while it starts.
    async fn firing(&self) -> Vec<String> {
        let Ok(answer) = reqwest::get(format!("{}/api/v1/alerts", self.url)).await else { return Vec::new() };
        let answer: Value = answer.json().await.unwrap_or_default();
        let alerts = answer["data"]["alerts"].as_array().cloned().unwrap_or_default();
        let firing = alerts.iter().filter(|alert| alert["state"] == "firing");
        firing.filter_map(|alert| alert["labels"]["alertname"].as_str().map(str::to_owned)).collect()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Minutes become seconds, and so do thresholds of minutes.
fn hurried(rules: &str) -> String {
    let line = |line: &str| match line.trim_start().starts_with("for:") {
        true => line.replace("m", "s"),
        false => line.replace("m]", "s]").replace(" * 60", " * 1"),
    };
    rules.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// The names of all alerts, with their runbooks.
fn alerts() -> Vec<(String, String)> {
    let rules = fs::read_to_string(deploy("prometheus/alerts.yml")).unwrap();
    let values = |key: &str| -> Vec<String> {
        rules.lines().filter_map(|line| line.trim().strip_prefix(key)).map(|value| value.trim().to_owned()).collect()
    };
    let (names, runbooks) = (values("- alert:"), values("runbook:"));
    assert_eq!(names.len(), runbooks.len(), "each alert names a runbook");
    names.into_iter().zip(runbooks).collect()
}

#[test]
fn every_alert_has_a_runbook_and_every_runbook_an_alert() {
    let linked: BTreeSet<_> = alerts().into_iter().map(|(_, runbook)| runbook).collect();
    let files = fs::read_dir(deploy("runbooks")).unwrap();
    let there: BTreeSet<_> =
        files.map(|file| format!("deploy/runbooks/{}", file.unwrap().file_name().to_string_lossy())).collect();
    assert_eq!(linked, there);
    for (name, runbook) in alerts() {
        let text = fs::read_to_string(deploy("..").join(runbook)).unwrap();
        assert!(text.lines().next().unwrap().contains(&name), "{name} stands in the title of its runbook");
    }
}

#[test]
fn the_rules_are_what_promtool_expects() {
    for arguments in [["check", "alerts.yml"], ["test", "alerts.test.yml"]] {
        let mut promtool = Command::new("promtool");
        promtool.args([arguments[0], "rules"]).arg(deploy("prometheus").join(arguments[1]));
        let output = promtool.output().expect("promtool is installed");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_alert_fires_when_its_time_has_come() {
    let _alone = crate::alone().await;
    let settings = [
        ("client_pending_jobs", "0"),
        ("client_builds_per_hour", "0"),
        ("upstream_ttl", "1s"),
        ("upstream_timeout", "1s"),
        ("redis_timeout", "1s"),
    ];
    let mut deployment = Deployment::without_workers(&settings).await;
    let mut prometheus = Prometheus::start();
    assert_eq!(deployment.prepare(&request("24.10.4", &["tmux"])).await.status, 200);

    // Two workers that can build nothing, and one that can, while upstream is away and all builds fail.
    deployment.add_worker_with(&[("store_min_free", "1000000GiB")]);
    deployment.add_worker_with(&[("podman_socket", "/nonexistent/podman.sock")]);
    deployment.add_worker();
    let workers = deployment.workers.iter().map(|worker| worker.address);
    let targets: Vec<_> = workers.chain([deployment.prepare.address, deployment.build.address]).collect();
    prometheus.scrape(&targets);
    assert_eq!(deployment.submit(&request("24.10.4", &["tmux"])).await.status, 202, "what is asked for later is known");
    deployment.upstream.go_away().await;
    let (here, fail) = (&deployment, |round: usize| request("24.10.4", &[&format!("nonesuch-{round}")]));
    let fails = move |round| {
        let body = fail(round);
        async move { drop(here.submit(&body).await) }
    };
    prometheus.until(&["AsuDiskFull", "AsuPodmanAway", "AsuUpstreamStale", "AsuBuildsFail"], fails).await;

    deployment.workers.clear();
    let waiting = deployment.submit(&request("24.10.4", &["nano"])).await;
    assert_eq!(waiting.status, 202, "{waiting:?}");
    let nothing = |_| async {};
    prometheus.until(&["AsuNoWorker", "AsuQueueNotMoving", "AsuOldestBuildTooOld"], nothing).await;
    deployment.redis.stop().await;
    prometheus.until(&["AsuRedisAway"], nothing).await;

    let all: BTreeSet<_> = alerts().into_iter().map(|(name, _)| name).collect();
    assert_eq!(prometheus.fired, all, "each alert of the file has fired");
}
