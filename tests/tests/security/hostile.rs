//! Builds that somebody has taken over: the miniature ImageBuilder runs the request's script as Python once its images are
//! made, which is all that a hostile package, repository or ImageBuilder could do.

use asu_tests::{Answer, Deployment};
use serde_json::{Value, json};

/// A server whose builds may do what they like within small limits, and whose doubts are short.
pub(crate) const SETTINGS: [(&str, &str); 11] = [
    ("concurrency", "3"),
    ("client_pending_jobs", "0"),
    ("client_builds_per_hour", "0"),
    ("server_stats", "true"),
    // What may be a broken transfer is tried twice more.
    ("retry_delay", "100ms"),
    ("retry_delay_max", "200ms"),
    ("max_images", "200"),
    ("max_images_size", "64MiB"),
    ("container_max_file_size", "256MiB"),
    ("container_memory", "512MiB"),
    ("max_defaults_length", "20480"),
];

/// A request whose build runs this script, in the directory of its images.
pub(crate) fn request(script: &str) -> Value {
    json!({
        "version": "24.10.4", "target": "ath79/generic", "profile": "8dev_carambola2",
        "packages": ["fault-script"], "defaults": script,
    })
}

/// Runs them all, as many at once as there are slots, and answers each one's end.
pub(crate) async fn run<'a>(deployment: &Deployment, scripts: impl Iterator<Item = &'a str>) -> Vec<Answer> {
    let mut hashes = Vec::new();
    for script in scripts {
        let answer = deployment.submit(&request(script)).await;
        assert_eq!(answer.status, 202, "{script}: {answer:?}");
        hashes.push(answer.request_hash());
    }
    let mut ends = Vec::new();
    for hash in hashes {
        ends.push(deployment.finished(&hash).await);
    }
    ends
}

/// What a build printed behind this word, as JSON.
pub(crate) fn printed(answer: &Answer, word: &str) -> Value {
    let stdout = answer.body["stdout"].as_str().unwrap_or_else(|| panic!("no output in {answer:?}"));
    let line =
        stdout.lines().find_map(|line| line.strip_prefix(word)).unwrap_or_else(|| panic!("no {word} in {stdout}"));
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
}

/// One more build, to show that the worker took no harm.
pub(crate) async fn nothing_is_broken(deployment: &Deployment) {
    let done = deployment.build(&asu_tests::request("24.10.4", &["tmux"])).await;
    assert_eq!(done.status, 200, "{done:?}");
    deployment.no_container_is_left().await;
}
