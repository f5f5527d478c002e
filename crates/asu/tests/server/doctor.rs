//! `asu doctor`.

use asu_test_support::{FakeUpstream, RedisServer, S3Server, Surroundings};
use serde_json::Value;
use tempfile::tempdir;

use crate::process::run;

async fn doctor(words: &[&str], settings: &[(&str, &str)]) -> (i32, Value) {
    let (code, stdout, stderr) = run(&[&["doctor", "--json"], words].concat(), settings).await;
    (code, serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error}: {stdout}{stderr}")))
}

/// `check level` of each finding.
fn levels(document: &Value) -> Vec<String> {
    let findings = document["findings"].as_array().unwrap();
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap().to_owned();
    findings.iter().map(|finding| format!("{} {}", text(finding, "check"), text(finding, "level"))).collect()
}

/// A network of one test; gone with it.
struct Network(String);

impl Network {
    fn isolated() -> Self {
        let name = format!("asu-doctor-{}", std::process::id());
        let created =
            Surroundings::get().podman().args(["network", "create", "--opt", "isolate=true", &name]).output().unwrap();
        assert!(created.status.success(), "{}", String::from_utf8_lossy(&created.stderr));
        Self(name)
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        let _ = Surroundings::get().podman().args(["network", "rm", "--force", &self.0]).output();
    }
}

#[tokio::test]
async fn a_machine_where_all_is_well_has_no_failures() {
    let surroundings = Surroundings::get();
    let (public, redis) = (tempdir().unwrap(), RedisServer::start().await);
    let upstream = FakeUpstream::serving(&surroundings.upstream_tree).await;
    let (redis_url, upstream_url) = (redis.url(), upstream.url());
    let image = format!("{}:x86-64-v24.10.4", surroundings.base_container);
    // One that nobody else made otherwise.
    let network = Network::isolated();
    let settings = [
        ("PUBLIC_PATH", public.path().to_str().unwrap()),
        ("REDIS_URL", &redis_url),
        ("UPSTREAM_URL", &upstream_url),
        ("PODMAN_SOCKET", surroundings.podman_socket.to_str().unwrap()),
        ("BASE_CONTAINER", &surroundings.base_container),
        ("STORE_MIN_FREE", "1MiB"),
        ("BUILD_NETWORK", &network.0),
    ];
    let (code, document) = doctor(&["--deep", "--image", &image], &settings).await;
    assert_eq!((code, &document["ok"]), (0, &Value::Bool(true)), "{document:#}");
    let levels = levels(&document);
    for expected in
        ["settings ok", "disk ok", "redis ok", "clock ok", "podman ok", "network ok", "upstream ok", "container ok"]
    {
        assert!(levels.iter().any(|level| level == expected), "no {expected} in {document:#}");
    }
    // The registry of the tests speaks plain http.
    assert!(levels.contains(&"registry warning".to_owned()), "{document:#}");
}

#[tokio::test]
async fn everything_that_is_missing_is_named_with_a_remedy() {
    let nowhere = "http://127.0.0.1:9";
    let settings = [
        ("PUBLIC_PATH", "/proc/nonexistent/asu"),
        ("REDIS_URL", "redis://127.0.0.1:9"),
        ("REDIS_TIMEOUT", "300ms"),
        ("UPSTREAM_URL", nowhere),
        ("PODMAN_SOCKET", "/nonexistent/podman.sock"),
        ("BASE_CONTAINER", "127.0.0.1:9/openwrt/imagebuilder"),
    ];
    let (code, document) = doctor(&[], &settings).await;
    assert_eq!((code, &document["ok"]), (1, &Value::Bool(false)));
    let expected = ["settings ok", "disk fail", "redis fail", "podman fail", "upstream fail", "registry fail"];
    assert_eq!(levels(&document), expected, "{document:#}");
    for finding in document["findings"].as_array().unwrap() {
        assert_eq!(finding["level"] == "ok", finding.get("remedy").is_none(), "{finding}");
    }
    let (code, stdout, _) = run(&["doctor"], &settings).await;
    assert!(
        code == 1 && stdout.contains("FAIL     podman     there is no socket /nonexistent/podman.sock"),
        "{stdout}"
    );
}

#[tokio::test]
async fn a_bucket_is_looked_at_where_there_is_one() {
    let (server, public) = (S3Server::start().await, tempdir().unwrap());
    let bucket = server.settings();
    let mut settings: Vec<_> = bucket.iter().map(|(key, value)| (key.to_uppercase(), value.clone())).collect();
    settings.push(("PUBLIC_PATH".to_owned(), public.path().to_str().unwrap().to_owned()));
    settings.push(("S3_RETRIES".to_owned(), "1".to_owned()));
    let settings: Vec<_> = settings.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    let (_, document) = doctor(&[], &settings).await;
    assert!(levels(&document).contains(&"bucket ok".to_owned()), "{document:#}");
    let wrong = [settings.as_slice(), &[("S3_SECRET_KEY", "hunter2-of-nobody")]].concat();
    let (code, document) = doctor(&[], &wrong).await;
    assert!(code == 1 && levels(&document).contains(&"bucket fail".to_owned()), "{document:#}");
    assert!(!document.to_string().contains("hunter2-of-nobody"), "{document:#}");
}

#[tokio::test]
async fn contradicting_settings_are_the_first_thing_to_know() {
    let (code, document) = doctor(&[], &[("LEASE", "1s")]).await;
    assert_eq!((code, levels(&document)), (1, vec!["settings fail".to_owned()]));
}
