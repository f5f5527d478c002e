//! Snapshots through HTTP: the first build of a revision sets the ImageBuilder up, the others find it.

use asu_test_support::SnapshotUpstream;
use asu_tests::{Deployment, look_inside, request};

async fn start(upstream: &SnapshotUpstream) -> Deployment {
    let [url, mirror] = upstream.settings();
    Deployment::start_with(&[(url.0, &url.1), (mirror.0, &mirror.1), ("upstream_ttl", "1h")]).await
}

async fn log(deployment: &Deployment, hash: &str) -> String {
    let url = format!("{}/api/v1/build/{hash}/log", deployment.build.url());
    deployment.client.get(url).send().await.unwrap().text().await.unwrap()
}

/// Two builds of a version; its ImageBuilder is fetched once.
async fn check(version: &str, version_path: &str) {
    let upstream = SnapshotUpstream::start().await;
    let deployment = start(&upstream).await;
    // Nobody but setup.sh asks for these.
    let sums = format!("{version_path}/targets/x86/64/sha256sums");
    let first = deployment.build(&request(version, &["tmux"])).await;
    assert_eq!(first.status, 200, "{first:?}");
    assert_eq!(first.body["version_code"], upstream.revision.as_str());
    let told = log(&deployment, &first.request_hash()).await;
    assert!(told.contains("$ bash setup.sh\n") && told.contains(&sums), "{told}");

    let mut body = request(version, &["nano"]);
    body["version_code"] = upstream.revision.as_str().into();
    let second = deployment.build(&body).await;
    assert_eq!(second.status, 200, "{second:?}");
    let told = log(&deployment, &second.request_hash()).await;
    assert!(told.contains("is set up already\n") && !told.contains("setup.sh"), "{told}");
    assert_eq!(upstream.fake.hits(&sums), 1);

    let (bin_dir, images) = (second.body["bin_dir"].as_str().unwrap(), second.body["images"].as_array().unwrap());
    let rootfs = images.iter().find(|image| image["type"] == "rootfs").unwrap()["name"].as_str().unwrap();
    let inside = look_inside(&deployment.download(bin_dir, rootfs).await, rootfs);
    assert!(inside["packages"]["nano"].is_string() && inside["packages"].get("tmux").is_none(), "{inside}");
    deployment.no_container_is_left().await;
    assert_eq!(SnapshotUpstream::images_of(&upstream.revision).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn development_with_apk_is_set_up_once() {
    check("SNAPSHOT", "snapshots").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_branchs_snapshot_with_opkg_is_set_up_once() {
    check("24.10-SNAPSHOT", "releases/24.10-SNAPSHOT").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_is_ahead_of_the_server_is_built_for_with_what_it_saw() {
    let mut upstream = SnapshotUpstream::start().await;
    let deployment = start(&upstream).await;
    assert_eq!(deployment.build(&request("SNAPSHOT", &["tmux"])).await.status, 200);
    let mut body = request("SNAPSHOT", &["tmux"]);
    body["version_code"] = upstream.publish_next().into();
    let built = deployment.build(&body).await;
    assert_eq!(built.status, 200, "{built:?}");
    assert_eq!(built.body["version_code"], upstream.revision.as_str());
    body["version_code"] = "r9999999999-abc".into();
    let failed = deployment.build(&body).await;
    assert_eq!(failed.status, 500, "{failed:?}");
    assert!(failed.detail().contains("r9999999999-abc"), "{failed:?}");
}
