//! Distributions beside the built-in one: each with its own upstream and its own ImageBuilders.

use asu_test_support::{FakeUpstream, Surroundings};
use asu_tests::{Deployment, request};
use serde_json::{Value, json};

/// A deployment that also serves "immortalwrt", of which upstream has the same files at another place.
async fn start() -> (Deployment, FakeUpstream) {
    let surroundings = Surroundings::get();
    let upstream = FakeUpstream::serving(&surroundings.upstream_tree).await;
    let distros = json!({"immortalwrt": {
        "upstream_url": upstream.url(),
        "base_container": surroundings.base_container,
        "branches": {"24.10": {"branch_off_rev": 27990}},
    }});
    // The ImageBuilders of the built-in distribution are nowhere: what is built is built by the other's.
    let settings = [("distros", &*distros.to_string()), ("base_container", "127.0.0.1:1/nowhere")];
    (Deployment::start_with(&settings).await, upstream)
}

fn immortal(version: &str) -> Value {
    let mut body = request(version, &["tmux"]);
    body["distro"] = "immortalwrt".into();
    body
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_for_another_distribution_is_built_by_its_imagebuilder() {
    let (deployment, upstream) = start().await;
    let prepared = deployment.prepare(&immortal("24.10.4")).await;
    assert_eq!(prepared.status, 200, "{prepared:?}");
    assert!(upstream.hits("releases/24.10.4/targets/x86/64/profiles.json") > 0);
    assert_eq!(deployment.upstream.hits("releases/24.10.4/targets/x86/64/profiles.json"), 0);
    let openwrt = deployment.prepare(&request("24.10.4", &["tmux"])).await;
    assert_ne!(openwrt.request_hash(), prepared.request_hash());

    let done = deployment.build(&immortal("24.10.4")).await;
    assert_eq!((done.status.as_u16(), done.detail()), (200, "done"), "{done:?}");
    assert_eq!(done.request_hash(), prepared.request_hash());
    assert_eq!(done.body["request"]["distro"], "immortalwrt");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_distribution_has_documents_of_its_own() {
    let (deployment, upstream) = start().await;
    let distros = deployment.get("/json/v1/distros.json").await;
    let names: Vec<_> = distros.body["distros"].as_array().unwrap().iter().map(|distro| &distro["name"]).collect();
    assert_eq!(names, ["openwrt", "immortalwrt"]);
    let overview = deployment.get("/json/v1/distros/immortalwrt/overview.json").await;
    assert_eq!(overview.body["upstream_url"], upstream.url());
    let branches: Vec<_> = overview.body["branches"].as_object().unwrap().keys().collect();
    assert_eq!(branches, ["24.10"]);
    let same = deployment.get("/json/v1/distros/openwrt/overview.json").await;
    assert_eq!(same.body, deployment.get("/json/v1/overview.json").await.body);
    let below = "/json/v1/distros/immortalwrt";
    for path in [
        format!("{below}/latest.json"),
        format!("{below}/branches.json"),
        format!("{below}/releases/24.10.4/targets/x86/64/generic.json"),
        format!("{below}/releases/24.10.4/targets/x86/64/index.json"),
        format!("{below}/releases/24.10.4/packages/x86_64-index.json"),
        "/api/v1/distros/immortalwrt/revision/24.10.4/x86/64".to_owned(),
    ] {
        assert_eq!(deployment.get(&path).await.status, 200, "{path}");
    }
    for path in [
        "/json/v1/distros/debian/overview.json",
        "/json/v1/distros/%00/overview.json",
        "/json/v1/distros/immortalwrt/releases/25.12.0/targets/x86/64/generic.json",
        "/json/v1/distros/debian/releases/24.10.4/targets/x86/64/generic.json",
        "/api/v1/distros/debian/revision/24.10.4/x86/64",
    ] {
        assert_eq!(deployment.get(path).await.status, 404, "{path}");
    }
    let unsupported = deployment.submit(&immortal("25.12.0")).await;
    assert_eq!((unsupported.status.as_u16(), unsupported.detail()), (400, "Unsupported branch: 25.12.0"));
}
