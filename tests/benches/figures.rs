//! Figures of a whole deployment, as medians with their spread. `make bench` runs this with release binaries.
//!
//! The load comes from `wrk` on the same machine, so every figure is what server and load make of its cores together.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark prints and may panic")]

use std::{
    fs,
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command},
    time::{Duration, Instant},
};

use asu_tests::{Deployment, Process, request};
use serde_json::{Value, json};

/// How often each load is applied.
const ROUNDS: usize = 5;
/// How many builds and starts are timed.
const SAMPLES: usize = 20;
/// How long each load lasts.
const LOAD: &str = "4s";

#[tokio::main]
async fn main() {
    let mut deployment = Deployment::start_with(&[("client_builds_per_hour", "0"), ("client_pending_jobs", "0")]).await;
    println!(
        "{:<52} {:>10}   {:>10} .. {:<10} unit",
        "figure (median of rounds or samples)", "median", "least", "most"
    );
    cold_starts(&deployment);
    memory("idle", &deployment);
    enqueue_to_start(&deployment).await;
    overhead(&deployment).await;
    loads(&deployment).await;
    documents(&deployment);
    downloads(&deployment);
    memory("after load", &deployment);
    throughput(&mut deployment).await;
}

/// Prints one line.
fn figure(name: &str, unit: &str, mut samples: Vec<f64>) {
    samples.sort_by(f64::total_cmp);
    let (least, median, most) = (samples[0], samples[samples.len() / 2], samples[samples.len() - 1]);
    println!("{name:<52} {median:>10.1}   {least:>10.1} .. {most:<10.1} {unit}");
}

/// From the start of a process to its first answer.
fn cold_starts(deployment: &Deployment) {
    for name in ["asu-prepare", "asu-build", "asu-worker"] {
        let samples = (0..SAMPLES).map(|_| {
            let started = Instant::now();
            let process = deployment.spawn(name);
            let status =
                Command::new("curl").args(["-sf", "-o", "/dev/null", &format!("{}/health", process.url())]).status();
            assert!(status.unwrap().success());
            millis(started.elapsed())
        });
        figure(&format!("cold start of {name} to its first answer"), "ms", samples.collect());
    }
}

fn memory(when: &str, deployment: &Deployment) {
    let processes = [
        ("asu-prepare", &deployment.prepare),
        ("asu-build", &deployment.build),
        ("asu-worker", &deployment.workers[0]),
    ];
    for (name, process) in processes {
        figure(&format!("resident memory of {name}, {when}"), "MiB", vec![resident(process)]);
    }
}

fn resident(process: &Process) -> f64 {
    let status = fs::read_to_string(format!("/proc/{}/status", process.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches("kB").trim().parse::<f64>().unwrap() / 1024.0
}

/// From sending a request to the first answer that says a worker has it.
async fn enqueue_to_start(deployment: &Deployment) {
    let mut samples = Vec::new();
    for sample in 0..SAMPLES {
        let started = Instant::now();
        let hash = deployment.submit(&distinct("start", sample)).await.request_hash();
        while deployment.status(&hash).await.body.get("queue_position").is_some() {}
        samples.push(millis(started.elapsed()));
        deployment.finished(&hash).await;
    }
    figure("enqueue to start (polled without a pause)", "ms", samples);
}

/// From sending a request to its finished answer, with what the ImageBuilder itself takes of it.
async fn overhead(deployment: &Deployment) {
    let mut samples = Vec::new();
    for sample in 0..SAMPLES {
        let started = Instant::now();
        let hash = deployment.submit(&distinct("overhead", sample)).await.request_hash();
        let mut answer = deployment.status(&hash).await;
        while answer.status == 202 {
            // Often enough not to count, and not so often that it takes the cores from the build.
            tokio::time::sleep(Duration::from_millis(5)).await;
            answer = deployment.status(&hash).await;
        }
        samples.push(millis(started.elapsed()));
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    figure("a build, enqueue to done (polled every 5 ms)", "ms", samples);
    let image = format!("{}:x86-64-v24.10.4", asu_test_support::Surroundings::get().base_container);
    let script = "cd /builder && s=$(date +%s%N) && make manifest PROFILE=generic PACKAGES=tmux STRIP_ABI=1 >/dev/null 2>&1 && \
                  make image PROFILE=generic PACKAGES=tmux BIN_DIR=/builder/x >/dev/null 2>&1; e=$(date +%s%N); echo $(((e-s)/1000))";
    let samples = (0..SAMPLES / 2).map(|_| {
        let mut command = asu_test_support::Surroundings::get().podman();
        let output = command.args(["run", "--rm", "--network", "none", &image, "bash", "-c", script]).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().parse::<f64>().expect("the ImageBuilder runs") / 1000.0
    });
    figure("  of which manifest and image, run by hand", "ms", samples.collect());
}

async fn loads(deployment: &Deployment) {
    let body = request("24.10.4", &["auc", "tmux", "nano", "luci", "luci-i18n-opkg-de"]);
    let done = deployment.build(&body).await;
    assert_eq!(done.status, 200, "{done:?}");
    let hash = done.request_hash();
    let directory = tempfile::tempdir().unwrap();
    let script = directory.path().join("post.lua");
    let quoted = json!(body.to_string()).to_string();
    fs::write(&script, format!("wrk.method = 'POST'\nwrk.body = {quoted}\n")).unwrap();
    let build = deployment.build.url();
    let prepare = format!("{}/api/v1/build/prepare", deployment.prepare.url());
    load("POST prepare", &prepare, Some(&script));
    load("POST of a finished build", &format!("{build}/api/v1/build"), Some(&script));
    load("GET status of a finished build", &format!("{build}/api/v1/build/{hash}"), None);
    load("GET /health (the bare server)", &format!("{build}/health"), None);
}

/// What clients read before they ask for a build.
fn documents(deployment: &Deployment) {
    let build = deployment.build.url();
    for (name, path) in [
        ("GET overview.json", "/json/v1/overview.json"),
        ("GET latest.json", "/json/v1/latest.json"),
        ("GET index of a target", "/json/v1/releases/24.10.4/targets/x86/64/index.json"),
        ("GET index of an architecture", "/json/v1/releases/24.10.4/packages/x86_64-index.json"),
    ] {
        load(name, &format!("{build}{path}"), None);
    }
}

/// An image of 100 MB, from the build service and from nginx, in turn and of the same file.
fn downloads(deployment: &Deployment) {
    let bin_dir = format!("{}-{}", "0".repeat(64), "0".repeat(12));
    let directory = deployment.store().join(&bin_dir);
    fs::create_dir_all(&directory).unwrap();
    fs::write(directory.join("image.bin"), vec![0x5a; 100_000_000]).unwrap();
    let nginx = Nginx::serving(&deployment.store());
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..SAMPLES {
        ours.push(download(&format!("{}/store/{bin_dir}/image.bin", deployment.build.url())));
        theirs.push(download(&format!("{}/{bin_dir}/image.bin", nginx.url)));
    }
    let ratios: Vec<_> = ours.iter().zip(&theirs).map(|(ours, theirs)| 100.0 * ours / theirs).collect();
    figure("download of 100 MB from asu-build", "ms", ours);
    figure("download of 100 MB from nginx", "ms", theirs);
    figure("  asu-build to nginx", "%", ratios);
}

fn download(url: &str) -> f64 {
    let started = Instant::now();
    let status = Command::new("curl").args(["-sf", "-o", "/dev/null", url]).status().unwrap();
    assert!(status.success(), "{url}");
    millis(started.elapsed())
}

/// A web server of others, to compare with.
struct Nginx {
    child: Child,
    url: String,
    _directory: tempfile::TempDir,
}

impl Nginx {
    fn serving(root: &Path) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let (configuration, here) = (directory.path().join("nginx.conf"), directory.path().display());
        let text = format!(
            "daemon off;\nuser root;\nworker_processes 1;\npid {here}/pid;\nerror_log {here}/log;\nevents {{}}\n\
             http {{\naccess_log off;\nsendfile on;\nclient_body_temp_path {here}/body;\nproxy_temp_path {here}/proxy;\n\
             fastcgi_temp_path {here}/fastcgi;\nuwsgi_temp_path {here}/uwsgi;\nscgi_temp_path {here}/scgi;\n\
             server {{\nlisten 127.0.0.1:{port};\nroot {};\n}}\n}}\n",
            root.display()
        );
        fs::write(&configuration, text).unwrap();
        let mut command = Command::new("nginx");
        let child = command.arg("-c").arg(&configuration).arg("-e").arg(directory.path().join("log")).spawn();
        let nginx = Self {
            child: child.expect("nginx is installed"),
            url: format!("http://127.0.0.1:{port}"),
            _directory: directory,
        };
        let deadline = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < deadline, "nginx does not listen");
        }
        nginx
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // The master ends its worker when it is asked to.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}

/// Requests per second and latencies of one address under full load, and the latency at a quarter of the connections.
fn load(name: &str, url: &str, script: Option<&Path>) {
    let mut rates = Vec::new();
    let (mut medians, mut nineties) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let mut command = Command::new("wrk");
        command.args(["--threads", "1", "--connections", "32", "--duration", LOAD, "--latency"]);
        if let Some(script) = script {
            command.arg("--script").arg(script);
        }
        let output = command.arg(url).output().expect("wrk is installed");
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(!text.contains("Non-2xx") && !text.contains("Socket errors"), "{name}: {text}");
        rates.push(number_after(&text, "Requests/sec:"));
        medians.push(duration_after(&text, "50%"));
        nineties.push(duration_after(&text, "99%"));
    }
    figure(&format!("{name}, 32 connections"), "requests/s", rates);
    figure("  latency p50", "ms", medians);
    figure("  latency p99", "ms", nineties);
}

fn after<'a>(text: &'a str, label: &str) -> &'a str {
    let line =
        text.lines().find(|line| line.trim_start().starts_with(label)).unwrap_or_else(|| panic!("{label}: {text}"));
    line.trim_start().trim_start_matches(label).trim()
}

fn number_after(text: &str, label: &str) -> f64 {
    after(text, label).parse().unwrap()
}

fn duration_after(text: &str, label: &str) -> f64 {
    let text = after(text, label);
    let (number, factor) = match (text.strip_suffix("us"), text.strip_suffix("ms"), text.strip_suffix('s')) {
        (Some(number), _, _) => (number, 0.001),
        (_, Some(number), _) => (number, 1.0),
        (_, _, Some(number)) => (number, 1000.0),
        (None, None, None) => panic!("no duration: {text}"),
    };
    number.parse::<f64>().unwrap() * factor
}

/// Builds per minute of two workers.
async fn throughput(deployment: &mut Deployment) {
    deployment.add_worker();
    let mut samples = Vec::new();
    for round in 0..3 {
        let started = Instant::now();
        let mut hashes = Vec::new();
        for sample in 0..SAMPLES {
            hashes.push(deployment.submit(&distinct(&format!("throughput{round}"), sample)).await.request_hash());
        }
        for hash in hashes {
            assert_eq!(deployment.finished(&hash).await.status, 200);
        }
        #[expect(clippy::cast_precision_loss, reason = "a small count")]
        samples.push(SAMPLES as f64 * 60.0 / started.elapsed().as_secs_f64());
    }
    figure("builds per minute, two workers", "1/min", samples);
}

/// A request of its own for every sample; the first-boot script tells them apart.
fn distinct(purpose: &str, sample: usize) -> Value {
    let mut body = request("24.10.4", &["tmux"]);
    body["defaults"] = format!("# {purpose} {sample}").into();
    body
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
