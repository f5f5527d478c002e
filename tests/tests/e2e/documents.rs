//! The documents that clients read before they ask for a build.

use std::time::Duration;

use asu_test_support::Behaviour;
use asu_tests::{Answer, Deployment, raw};
use futures::future::join_all;
use serde_json::{Value, json};

const OVERVIEWS: [&str; 4] = ["/json/v1/overview.json", "/api/v1/overview", "/api/overview", "/overview"];
const LATEST: [&str; 4] = ["/json/v1/latest.json", "/api/v1/latest", "/api/latest", "/json/latest.json"];
const BRANCHES: [&str; 2] = ["/json/v1/branches.json", "/json/branches.json"];
const PROFILE: &str = "/json/v1/releases/24.10.4/targets/ath79/generic/8dev_carambola2.json";

async fn ok(deployment: &Deployment, path: &str) -> Value {
    let answer = deployment.get(path).await;
    assert_eq!(answer.status, 200, "{path}: {answer:?}");
    assert_eq!(answer.header("content-type"), "application/json", "{path}");
    answer.body
}

/// Waits until a path is answered with this status.
async fn until(deployment: &Deployment, path: &str, status: u16) -> Answer {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
    loop {
        let answer = deployment.get(path).await;
        if answer.status == status {
            return answer;
        }
        assert!(tokio::time::Instant::now() < deadline, "{path}: never {status}: {answer:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_path_serves_the_document_itself() {
    let deployment = Deployment::without_workers(&[]).await;
    for paths in [&OVERVIEWS[..], &LATEST, &BRANCHES] {
        let document = ok(&deployment, paths[0]).await;
        for path in paths {
            for variant in [(*path).to_owned(), format!("{path}?1732373738123"), format!("/{path}/")] {
                assert_eq!(ok(&deployment, &variant).await, document, "{variant}");
            }
            let url = format!("{}{path}", deployment.build.url());
            let (get, head) = (deployment.client.get(&url).send().await, deployment.client.head(&url).send().await);
            let (get, head) = (get.unwrap(), head.unwrap());
            assert_eq!((get.status().as_u16(), head.status().as_u16()), (200, 200), "{path}");
            let length = get.headers()["content-length"].clone();
            assert_eq!(head.headers().get("content-length"), Some(&length), "{path}: HEAD tells the length, too");
            assert!(get.headers().get("transfer-encoding").is_none(), "{path}");
            let refused = deployment.post(&url, &json!({})).await;
            assert_eq!((refused.status.as_u16(), refused.header("allow")), (405, "GET,HEAD"), "{path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_overview_has_what_each_client_needs() {
    let deployment = Deployment::without_workers(&[("contact", "admin@example.org")]).await;
    let overview = ok(&deployment, OVERVIEWS[0]).await;
    assert_eq!(overview["latest"], json!(["25.12.0", "24.10.4"]));
    assert_eq!(ok(&deployment, LATEST[0]).await, json!({"latest": overview["latest"]}));
    assert_eq!(overview["upstream_url"], deployment.upstream.url());
    let server = json!({
        "version": overview["server"]["version"],
        "contact": "admin@example.org",
        "allow_defaults": true,
        "repository_allow_list": [],
        "max_custom_rootfs_size_mb": 1024,
        "max_defaults_length": 20480,
    });
    assert!(server["version"].is_string());
    assert_eq!(overview["server"], server);
    let branches = overview["branches"].as_object().unwrap();
    let listed: Vec<_> = ok(&deployment, BRANCHES[0]).await.as_array().unwrap().clone();
    assert_eq!(listed, branches.values().cloned().collect::<Vec<_>>());
    for (name, branch) in branches {
        assert_eq!((&branch["name"], &branch["enabled"]), (&json!(name), &json!(true)), "{name}");
        assert_eq!(branch["path_packages"], "DEPRECATED", "{name}");
        assert_eq!(branch["snapshot"], name == "SNAPSHOT", "{name}");
        assert_eq!(branch["branch_off_rev"].is_u64(), name != "SNAPSHOT", "{name}");
        assert!(branch["package_changes"].is_array() && branch["versions"].is_array(), "{name}");
        assert!(branch["path"].is_string() && branch["targets"].is_object(), "{name}");
    }
    let targets = json!({"ath79/generic": "mips_24kc", "mediatek/filogic": "aarch64_cortex-a53", "x86/64": "x86_64"});
    for (name, version) in [("SNAPSHOT", "SNAPSHOT"), ("25.12", "25.12.0"), ("24.10", "24.10.4"), ("23.05", "23.05.5")]
    {
        assert_eq!(branches[name]["versions"][0], version, "{name}");
        assert_eq!(branches[name]["targets"], targets, "{name}");
    }
    let changes = branches["22.03"]["package_changes"].clone();
    assert_eq!(changes, json!([{"source": "firewall", "target": "firewall4", "revision": 18611}]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_cold_clients_cost_upstream_one_request_per_file() {
    let patient = [("request_timeout", "2m"), ("upstream_patience", "20s"), ("upstream_timeout", "2m")];
    let deployment = Deployment::without_workers(&patient).await;
    let cold = "releases/24.10.4/.targets.json";
    deployment.upstream.set(cold, Behaviour::Hang);
    let clients = join_all((0..1000).map(|n| deployment.get([OVERVIEWS[0], BRANCHES[0], LATEST[0], PROFILE][n % 4])));
    let open = async {
        deployment.upstream.wait_for_hits(cold, 1).await;
        deployment.upstream.behave();
    };
    let (answers, ()) = tokio::join!(clients, open);
    assert!(answers.iter().all(|answer| answer.status == 200));
    for path in [
        cold,
        "snapshots/.targets.json",
        "releases/25.12.0/.targets.json",
        "releases/24.10.4/targets/ath79/generic/profiles.json",
    ] {
        assert_eq!(deployment.upstream.hits(path), 1, "{path}");
    }
    // The prepare service keeps this one fresh, too.
    assert!(deployment.upstream.hits(".versions.json") <= 2);
    deployment.upstream.wait_for_hits(".versions.json", 2).await;
    let hits = deployment.upstream.total_hits();
    for path in OVERVIEWS.into_iter().chain(LATEST).chain(BRANCHES).chain([PROFILE]) {
        ok(&deployment, path).await;
    }
    assert_eq!(deployment.upstream.total_hits(), hits, "warm documents cost nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn revisions_are_told_or_refused() {
    let deployment = Deployment::without_workers(&[]).await;
    let revision = ok(&deployment, "/api/v1/revision/24.10.4/ath79/generic?1732373738123").await;
    assert_eq!(revision, json!({"revision": "r28959-29397011cc"}));
    assert!(ok(&deployment, "/api/v1/revision/SNAPSHOT/x86/64").await["revision"].is_string());
    for (path, status, detail) in [
        ("19.07.1/ath79/generic", 400, "Unsupported branch: 19.07.1"),
        ("24.10.99/ath79/generic", 404, "Unsupported version: 24.10.99"),
        ("24.10.4/ath79/nonesuch", 404, "Unsupported target: ath79/nonesuch."),
        ("24.10.4/ath79", 404, "not found"),
        ("24.10.4/ath79/generic/x", 404, "not found"),
        ("24.10.4/ath79%2fgeneric/x", 404, "could not find"),
        ("24.10.4/%2e%2e%2f/generic", 404, "could not find"),
        ("24.10.4/ath79/%ff", 404, "could not find"),
        ("24.10.4/ath79/a%00b", 404, "could not find"),
        ("24.10%2f..%2f..%2fx/ath79/generic", 404, "could not find"),
        ("%2e%2e/ath79/generic", 400, "Unsupported branch: .."),
    ] {
        // As bytes: a client would tidy the path up.
        let request = format!("GET /api/v1/revision/{path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        let answer = raw(deployment.build.address, request.as_bytes()).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{path}: {answer}");
        assert!(answer.contains(&format!("\"status\":{status}")), "{path}: {answer}");
        assert!(answer.contains(&format!("\"detail\":\"{detail}")), "{path}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn profiles_are_told_by_any_of_their_names() {
    let deployment = Deployment::without_workers(&[]).await;
    let profile = ok(&deployment, PROFILE).await;
    for (key, value) in [
        ("id", json!("8dev_carambola2")),
        ("version_code", json!("r28959-29397011cc")),
        ("arch_packages", json!("mips_24kc")),
        ("build_at", json!("2025-10-19T16:43:31.000000Z")),
        ("image_prefix", json!("openwrt-24.10.4-ath79-generic-8dev_carambola2")),
    ] {
        assert_eq!(profile[key], value, "{key}");
    }
    assert!(profile["titles"].is_array() && profile["images"].is_array() && profile.get("profiles").is_none());
    for alias in ["8dev,carambola2", "carambola2"] {
        assert_eq!(ok(&deployment, &PROFILE.replace("8dev_carambola2", alias)).await, profile, "{alias}");
    }
    assert_eq!(ok(&deployment, &PROFILE.replace("8dev_carambola2", "nonesuch")).await, json!({}));
    let snapshot = ok(&deployment, "/json/v1/snapshots/targets/x86/64/generic.json").await;
    assert_eq!(snapshot["id"], "generic");
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_of_packages_are_flat_and_complete() {
    let deployment = Deployment::without_workers(&[]).await;
    let target = ok(&deployment, "/json/v1/releases/24.10.4/targets/x86/64/index.json").await;
    assert_eq!(target.as_object().unwrap().keys().collect::<Vec<_>>(), ["architecture", "packages"]);
    assert_eq!(target["architecture"], "x86_64");
    assert_eq!(target["packages"]["libc"], "1.2.5-r1");
    assert_eq!(target["packages"]["kmod-e1000"], "6.6.110-r1", "kernel modules lie apart");
    let old = ok(&deployment, "/json/v1/releases/23.05.5/targets/x86/64/index.json").await;
    assert_eq!((&old["packages"]["libgcc"], old["packages"].get("libgcc1")), (&json!("12.3.0-1"), None));
    let arch = ok(&deployment, "/json/v1/releases/23.05.5/packages/x86_64-index.json").await;
    assert_eq!(arch["libubox"], "2023.05.23~75a3b870-1", "the name that people ask for");
    assert!(arch["luci"].is_string() && arch["tmux"].is_string(), "all feeds");
    assert!(ok(&deployment, "/json/v1/snapshots/packages/mips_24kc-index.json").await["tmux"].is_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_names_no_document_is_not_found() {
    let deployment = Deployment::without_workers(&[]).await;
    for path in [
        "/json/v1/nonesuch.json",
        "/json/v1",
        "/json/v1/releases/19.07.1/targets/ath79/generic/x.json",
        "/json/v1/releases/24.10.99/targets/ath79/generic/x.json",
        "/json/v1/releases/24.10.4/targets/ath79/nonesuch/x.json",
        "/json/v1/releases/24.10.4/targets/ath79/nonesuch/index.json",
        "/json/v1/releases/24.10.4/packages/nonesuch-index.json",
        "/json/v1/releases/24.10.4/packages/..-index.json",
        "/json/v1/releases/24.10.4/packages/%2e%2e-index.json",
        "/json/v1/releases/SNAPSHOT/targets/x86/64/generic.json",
        "/json/v1/releases/24.10.4/targets/ath79/generic/../../../../../.versions.json",
        "/json/v1/releases/24.10.4/targets/ath79/generic/%2e%2e%2f%2e%2e%2findex.json",
        "/json/v1/releases/24.10.4/targets/ath79/generic/a%00.json",
        "/json/v1/releases/24.10.4/targets/ath79/generic/%ff.json",
        "/json/v1/releases/24.10.4/targets/ath79/generic/%0d%0aSet-Cookie:x.json",
        "/json/v1/releases/%2e%2e/targets/ath79/generic/x.json",
        "/json/v1/../../etc/passwd",
    ] {
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        let answer = raw(deployment.build.address, request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 404 "), "{path}: {answer}");
        assert!(answer.contains("\"status\":404") && answer.contains("\"detail\":\""), "{path}: {answer}");
    }
    let asked = ["releases/24.10.4/packages/../feeds.conf", "releases/24.10.4/feeds.conf", "releases/feeds.conf"];
    assert!(asked.iter().all(|path| deployment.upstream.hits(path) == 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_are_stale_while_upstream_is_away_and_fresh_again_after_it() {
    let revision = "/api/v1/revision/24.10.4/ath79/generic";
    let deployment = Deployment::without_workers(&[("upstream_ttl", "1s"), ("upstream_patience", "10s")]).await;
    let mut known = Vec::new();
    for path in [OVERVIEWS[0], LATEST[0], BRANCHES[0], PROFILE, revision] {
        known.push((path, ok(&deployment, path).await));
    }
    deployment.upstream.go_away().await;
    let unread = "/api/v1/revision/23.05.5/x86/64";
    let refused = until(&deployment, unread, 503).await;
    assert!(refused.headers.contains_key("retry-after"), "{refused:?}");
    tokio::time::sleep(Duration::from_millis(2500)).await;
    for (path, document) in &known {
        assert_eq!(ok(&deployment, path).await, *document, "{path}");
    }
    deployment.upstream.come_back().await;
    deployment
        .upstream
        .put(".versions.json", r#"{"stable_version": "24.10.4", "versions_list": ["24.10.4", "23.05.5"]}"#);
    until(&deployment, unread, 200).await;
    let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
    while ok(&deployment, LATEST[0]).await != json!({"latest": ["24.10.4"]}) {
        assert!(tokio::time::Instant::now() < deadline, "the new list of versions is read");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_that_were_never_read_are_unavailable_until_upstream_is_back() {
    let deployment = Deployment::without_workers(&[("upstream_timeout", "10s"), ("upstream_negative_ttl", "1s")]).await;
    deployment.upstream.set_everywhere(Behaviour::Status(503));
    let paths = [OVERVIEWS[0], LATEST[0], BRANCHES[0], PROFILE, "/api/v1/revision/24.10.4/ath79/generic"];
    for path in paths {
        let answer = until(&deployment, path, 503).await;
        assert!(
            answer.detail().starts_with("cannot fetch ") && answer.headers.contains_key("retry-after"),
            "{answer:?}"
        );
    }
    deployment.upstream.behave();
    for path in paths {
        until(&deployment, path, 200).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_list_of_targets_harms_no_other_version() {
    let deployment = Deployment::without_workers(&[("upstream_patience", "10s")]).await;
    deployment.upstream.set("releases/25.12.0/.targets.json", Behaviour::Garbage);
    deployment.upstream.set("releases/24.10.4/.targets.json", Behaviour::Status(404));
    let overview = ok(&deployment, OVERVIEWS[0]).await;
    let count = |branch: &str| overview["branches"][branch]["targets"].as_object().unwrap().len();
    assert_eq!((count("25.12"), count("24.10"), count("23.05"), count("SNAPSHOT")), (0, 3, 3, 3));
    assert_eq!(deployment.upstream.hits("releases/24.10-SNAPSHOT/.targets.json"), 1, "the version before");
}
