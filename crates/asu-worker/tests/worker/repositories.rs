//! Custom package repositories, their keys, and the cache in front of all repositories.

use asu_core::{BuildFailure, BuildRequest};
use asu_test_support::PackageServer;
use serde_json::{Value, json};

use crate::bench::{Bench, done, failed, failure, request};

/// Where a miniature has most packages, below the address of a mirror or a cache.
const BASE: &str = "downloads.openwrt.org/releases/24.10.4/packages/mips_24kc/base";

async fn bench(allowed: &str, changes: &[(&str, &str)]) -> Bench {
    let mut bench = Bench::with(changes).await;
    bench.settings = bench.settings.with("repository_allow_list", toml::Value::Array(vec![allowed.into()]));
    bench
}

fn with_repository(url: &str, more: &Value) -> BuildRequest {
    let mut changes = json!({"repositories": {"mine": url}, "repositories_mode": "append"});
    changes.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    request(changes)
}

#[tokio::test]
async fn repositories_are_added_or_replace_the_own_ones() {
    let server = PackageServer::start().await;
    let bench = bench(&server.url(), &[]).await;
    let worker = bench.worker().await;
    let with = |mode: &str| {
        let url = format!("{}/{BASE}", server.url());
        with_repository(&url, &json!({"repositories_mode": mode, "packages": ["luci"]}))
    };
    done(bench.build(&with("append")).await);
    assert!(server.hits(&format!("{BASE}/Packages.gz")) > 0, "{}", server.log());
    // luci is in another feed, which is replaced.
    let failed = failed(bench.build(&with("replace")).await);
    let BuildFailure::ImpossiblePackages { missing, .. } = &failed.failure else { panic!("{failed:#?}") };
    assert!(missing.contains(&"luci".to_owned()) && !missing.contains(&"busybox".to_owned()), "{missing:?}");
    worker.stop().await;
}

#[tokio::test]
async fn a_repository_needs_its_key() {
    let server = PackageServer::start().await;
    let key = server.add_repository("mine", "opkg", "asu-mine=1.0=of a user");
    let other = server.add_repository("other", "opkg", "asu-other=1.0=of another");
    let bench = bench(&server.url(), &[]).await;
    let worker = bench.worker().await;
    let url = format!("{}/mine", server.url());
    let with_keys = |keys: Value| with_repository(&url, &json!({"packages": ["asu-mine"], "repository_keys": keys}));
    for keys in [json!([]), json!([other])] {
        let untrusted = failure(bench.build(&with_keys(keys)).await);
        assert_eq!(untrusted, BuildFailure::RepositoryUntrusted { repository: url.clone() });
    }
    let result = done(bench.build(&with_keys(json!([other, key]))).await);
    assert_eq!(result.manifest["asu-mine"], "1.0");
    worker.stop().await;
}

#[tokio::test]
async fn a_package_that_is_not_what_its_list_says_fails_the_build() {
    let server = PackageServer::start().await;
    let key = server.add_repository("mine", "opkg", "asu-mine=1.0=of a user");
    std::fs::write(server.file("mine/asu-mine_1.0_all.ipk"), "of somebody else").unwrap();
    let bench = bench(&server.url(), &[]).await;
    let worker = bench.worker().await;
    let url = format!("{}/mine", server.url());
    let request = with_repository(&url, &json!({"packages": ["asu-mine"], "repository_keys": [key]}));
    let failure = failure(bench.build(&request).await);
    assert_eq!(failure.kind(), "repository_unavailable");
    assert!(failure.to_string().contains("Checksum or size mismatch for package asu-mine"), "{failure}");
    worker.stop().await;
}

#[tokio::test]
async fn a_repository_that_is_not_allowed_is_refused_here_too() {
    let bench = bench("https://mirror.example.org/releases", &[]).await;
    let worker = bench.worker().await;
    let failed = failed(bench.build(&with_repository("https://mirror.example.org.evil.org/x", &json!({}))).await);
    assert_eq!(failed.failure.to_string(), "Error: Repository not allowed: https://mirror.example.org.evil.org/x");
    assert_eq!(failed.log.stderr, "Repository not allowed: https://mirror.example.org.evil.org/x\n");
    worker.stop().await;
}

#[tokio::test]
async fn a_repository_that_is_not_there_fails_the_build() {
    let bench = bench("http://127.0.0.1:9", &[]).await;
    let worker = bench.worker().await;
    // Within the container nobody listens there.
    let url = "http://127.0.0.1:9/nowhere";
    let failed = failed(bench.build(&with_repository(url, &json!({"packages": ["mine"]}))).await);
    assert_eq!(failed.failure, BuildFailure::RepositoryUnavailable { what: format!("{url}/Packages.gz") });
    assert!(failed.log.stderr.contains(url), "{}", failed.log.stderr);
    assert_eq!(worker.metric("asu_worker_builds_total{result=\"postponed\"}").await, 2.0);
    worker.stop().await;
}

/// `packages.example.org` is nowhere but in the cache.
#[tokio::test]
async fn packages_come_through_the_cache_and_nobody_sees_it() {
    let server = PackageServer::start().await;
    let key = server.add_repository("packages.example.org/mine", "opkg", "asu-mine=1.0=of a user");
    let bench = bench("https://packages.example.org", &[("cache_url", &server.url())]).await;
    let worker = bench.worker().await;
    let more = json!({"packages": ["asu-mine", "luci"], "repository_keys": [key]});
    let result = done(bench.build(&with_repository("https://packages.example.org/mine", &more)).await);
    assert_eq!(result.manifest["asu-mine"], "1.0");
    for path in [&format!("{BASE}/Packages.gz"), "packages.example.org/mine/asu-mine_1.0_all.ipk"] {
        assert!(server.hits(path) > 0, "{path}: {}", server.log());
    }
    assert!(result.log.stderr.contains("Downloading https://packages.example.org/mine/Packages.gz"), "{result:#?}");
    assert!(!serde_json::to_string(&result).unwrap().contains(&server.url()), "{result:#?}");

    let gone = with_repository("https://packages.example.org/gone", &json!({"packages": ["asu-mine"]}));
    let failed = failed(bench.build(&gone).await);
    let what = "https://packages.example.org/gone/Packages.gz".to_owned();
    assert_eq!(failed.failure, BuildFailure::RepositoryUnavailable { what });
    assert!(!serde_json::to_string(&failed).unwrap().contains(&server.url()), "{failed:#?}");
    worker.stop().await;
}
