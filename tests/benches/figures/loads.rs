//! Requests per second and latencies, from `wrk` on the same machine.

use std::{fs, path::Path, process::Command};

use asu_tests::{Deployment, request};
use serde_json::json;

use crate::figure::{ROUNDS, figure};

/// How long each load lasts.
const LOAD: &str = "4s";

/// What prepare and build answer most often.
pub(crate) async fn loads(deployment: &Deployment) {
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
pub(crate) fn documents(deployment: &Deployment) {
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
