//! The cache through which builds fetch: it is asked for everything, and no client sees it.

use asu_test_support::PackageServer;
use asu_tests::{Deployment, request};
use serde_json::{Value, json};

/// A repository that is nowhere but in the cache.
const MINE: &str = "https://packages.example.org/mine";

fn with_repository(version: &str, key: &str) -> Value {
    let mut body = request(version, &["asu-mine", "tmux"]);
    body["repositories"] = json!({"mine": MINE});
    body["repositories_mode"] = "append".into();
    body["repository_keys"] = json!([key]);
    body
}

#[tokio::test(flavor = "multi_thread")]
async fn packages_come_through_the_cache_and_no_client_sees_it() {
    const ALLOWED: (&str, &str) = ("repository_allow_list", r#"["https://packages.example.org"]"#);
    for (version, manager, package, list) in [
        ("24.10.4", "opkg", "asu-mine=1.0=text", "Packages.gz"),
        ("25.12.0", "apk", "asu-mine=1.0-r1=text", "packages.adb"),
    ] {
        let cache = PackageServer::start().await;
        let key = cache.add_repository("packages.example.org/mine", manager, package);
        let deployment = Deployment::start_with(&[ALLOWED, ("cache_url", &cache.url())]).await;
        let body = with_repository(version, &key);
        let done = deployment.build(&body).await;
        assert_eq!(done.status, 200, "{done:?}");
        assert!(done.body["manifest"]["asu-mine"].is_string(), "{done:?}");
        let own = format!("downloads.openwrt.org/releases/{version}/packages/x86_64/packages/{list}");
        for path in [&own, &format!("packages.example.org/mine/{list}")] {
            assert!(cache.hits(path) > 0, "{path}: {}", cache.log());
        }
        assert_eq!(done.body["request"]["repositories"]["mine"], MINE);
        let address = cache.url().replace("http://", "");
        assert!(!done.body.to_string().contains(&address), "{done:?}");
        let log = format!("{}/api/v1/build/{}/log", deployment.build.url(), done.request_hash());
        let log = deployment.client.get(log).send().await.unwrap().text().await.unwrap();
        assert!(log.contains("$ make manifest") && !log.contains(&address), "{log}");

        let without = Deployment::without_workers(&[ALLOWED]).await;
        assert_eq!(without.submit(&body).await.request_hash(), done.request_hash(), "the same build without a cache");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_imagebuilder_of_a_snapshot_comes_through_the_cache() {
    let cache = PackageServer::start().await;
    let deployment = Deployment::start_with(&[("cache_url", &cache.url())]).await;
    // As the cache knows this test's upstream, which no container reaches.
    let upstream = deployment.upstream.url().replace("http://", "");
    cache.alias("downloads.openwrt.org", &upstream);
    let done = deployment.build(&request("SNAPSHOT", &["tmux"])).await;
    assert_eq!(done.status, 200, "{done:?}");
    assert!(cache.hits(&format!("{upstream}/snapshots/targets/x86/64/sha256sums")) > 0, "{}", cache.log());
    assert!(!done.body.to_string().contains(&cache.url()), "{done:?}");
}
