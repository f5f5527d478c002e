//! The clients in the field, each with the requests that it sends, from its question about versions to its image.

use std::time::Duration;

use asu_tests::{Answer, Deployment, raw};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

const PATIENCE: Duration = Duration::from_secs(300);

/// What each client knows of its device: all default packages of its image and one more.
async fn installed(deployment: &Deployment, target: &str, profile: &str) -> Vec<String> {
    let document = deployment.get(&format!("/json/v1/releases/24.10.4/targets/{target}/{profile}.json")).await.body;
    let lists = [&document["default_packages"], &document["device_packages"], &json!(["tmux"])];
    let names = lists.into_iter().flat_map(|list| list.as_array().cloned().unwrap_or_default());
    names.map(|name| name.as_str().unwrap().to_owned()).filter(|name| !name.starts_with('-')).collect()
}

/// A POST as `uclient` sends it: in chunks of unknown length, without User-Agent, Accept and Content-Type.
async fn post_chunked(deployment: &Deployment, path: &str, body: &Value) -> (u16, Value) {
    let body = body.to_string();
    let (first, second) = body.split_at(body.len() / 2);
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: asu.example\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n\
         {:x}\r\n{first}\r\n{:x}\r\n{second}\r\n0\r\n\r\n",
        first.len(),
        second.len()
    );
    parse(&raw(deployment.build.address, request.as_bytes()).await)
}

async fn get_bare(deployment: &Deployment, path: &str) -> (u16, Value) {
    let request = format!("GET {path} HTTP/1.1\r\nHost: asu.example\r\nConnection: close\r\n\r\n");
    parse(&raw(deployment.build.address, request.as_bytes()).await)
}

/// auc compares what it read with the Content-Length and hangs on an answer in chunks.
fn parse(answer: &str) -> (u16, Value) {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let length = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    assert_eq!(length, Some(body.len()), "{head}");
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {body}")))
}

async fn finished<F: Future<Output = (u16, Value)>>(ask: impl Fn() -> F) -> Value {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let (status, body) = ask().await;
        match status {
            200 => return body,
            202 => assert!(body.get("queue_position").is_some() || body["imagebuilder_status"].is_string(), "{body}"),
            _ => panic!("{status}: {body}"),
        }
        assert!(Instant::now() < deadline, "{body}");
        sleep(Duration::from_millis(100)).await;
    }
}

async fn download(deployment: &Deployment, done: &Value, suffix: &str) {
    let images = done["images"].as_array().unwrap();
    let image = images.iter().find(|image| image["name"].as_str().unwrap().ends_with(suffix));
    let image = image.unwrap_or_else(|| panic!("no image {suffix}: {images:?}"));
    let bytes = deployment.download(done["bin_dir"].as_str().unwrap(), image["name"].as_str().unwrap()).await;
    assert!(!bytes.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn owut_gets_exactly_the_versions_that_it_was_promised() {
    let deployment = Deployment::start().await;
    let mut packages = installed(&deployment, "ath79/generic", "8dev_carambola2").await;
    // A device knows the package that is installed, not the name under which it was asked for.
    packages.iter_mut().filter(|name| *name == "nftables").for_each(|name| name.push_str("-json"));
    let target = deployment.get("/json/v1/releases/24.10.4/targets/ath79/generic/index.json").await.body;
    let feeds = deployment.get("/json/v1/releases/24.10.4/packages/mips_24kc-index.json").await.body;
    let version = |name: &String| {
        let version = target["packages"].get(name).or_else(|| feeds.get(name));
        (name.clone(), version.unwrap_or_else(|| panic!("{name} is in no index")).clone())
    };
    let request = json!({
        "client": "owut/2025.08.11~9c6c1d0e-r1",
        "defaults": null,
        "diff_packages": true,
        "filesystem": "squashfs",
        "packages": packages,
        "packages_versions": packages.iter().map(version).collect::<serde_json::Map<_, _>>(),
        "profile": "8dev_carambola2",
        "rootfs_size_mb": null,
        "target": "ath79/generic",
        "version": "24.10.4",
        "version_code": "r28959-29397011cc",
    });
    let answer = deployment.submit(&request).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    let url = format!("{}/api/v1/build/{}", deployment.build.url(), answer.request_hash());
    let deadline = Instant::now() + PATIENCE;
    loop {
        let head = deployment.client.head(&url).send().await.unwrap();
        let (status, headers) = (head.status().as_u16(), head.headers());
        let stage = headers["x-imagebuilder-status"].to_str().unwrap();
        let position: u64 = headers["x-queue-position"].to_str().unwrap().parse().unwrap();
        match status {
            200 => break assert_eq!((stage, position), ("done", 0)),
            202 => assert!(stage == "queued" || position == 0, "{stage} {position}"),
            _ => panic!("{status} {stage}"),
        }
        assert!(Instant::now() < deadline, "{stage}");
        sleep(Duration::from_millis(100)).await;
    }
    let done = Answer::read(deployment.client.get(&url).send().await.unwrap()).await.body;
    assert_eq!(done["version_code"], "r28959-29397011cc");
    for (name, version) in request["packages_versions"].as_object().unwrap() {
        assert_eq!(&done["manifest"][name], version, "{name}");
    }
    assert_eq!(done["request"]["packages"].as_array().unwrap().len(), packages.len());
    download(&deployment, &done, "squashfs-sysupgrade.bin").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn luci_sends_a_number_as_text_and_its_clock_with_every_url() {
    let deployment = Deployment::start().await;
    let overview = get_bare(&deployment, "//json/v1/overview.json?1732373738001").await.1;
    assert!(overview["branches"]["24.10"]["package_changes"].is_array());
    let revision = get_bare(&deployment, "//api/v1/revision/24.10.4/x86/64?1732373738002").await.1;
    assert!(revision["revision"].as_str().unwrap().starts_with('r'));
    let mut request = json!({
        "client": "luci/24.200.51234~abcdef0",
        "diff_packages": true,
        "filesystem": "ext4",
        "packages": installed(&deployment, "x86/64", "generic").await,
        "profile": "generic",
        "rootfs_size_mb": "256",
        "target": "x86/64",
        "version": "24.10.4",
    });
    let done = finished(|| post_chunked(&deployment, "//api/v1/build?1732373738123", &request)).await;
    assert_eq!(done["request"]["rootfs_size_mb"], 256);
    assert!(done["build_cmd"].as_array().unwrap().iter().any(|word| word == "ROOTFS_PARTSIZE=256"), "{done}");
    download(&deployment, &done, "ext4-combined-efi.img.gz").await;

    request["target"] = "ath79/generic".into();
    request["profile"] = "8dev,carambola2".into();
    request["packages"] = json!(installed(&deployment, "ath79/generic", "8dev_carambola2").await);
    request["filesystem"] = "squashfs".into();
    request["rootfs_size_mb"] = Value::Null;
    let done = finished(|| post_chunked(&deployment, "//api/v1/build?1732373738124", &request)).await;
    assert_eq!(done["id"], "8dev_carambola2");
}

#[tokio::test(flavor = "multi_thread")]
async fn auc_asks_every_version_and_reads_to_the_last_byte() {
    let deployment = Deployment::start().await;
    let branches = get_bare(&deployment, "//json/v1/branches.json").await.1;
    for branch in branches.as_array().unwrap() {
        for version in branch["versions"].as_array().unwrap() {
            let path = branch["path"].as_str().unwrap().replace("{version}", version.as_str().unwrap());
            let (status, profile) =
                get_bare(&deployment, &format!("//json/v1/{path}/targets/ath79/generic/8dev,carambola2.json")).await;
            assert!(status == 404 || profile["version_code"].is_string(), "{version}: {profile}");
        }
    }
    let request = json!({
        "client": "auc/0.3.2",
        "diff_packages": true,
        "filesystem": "squashfs",
        "packages": installed(&deployment, "ath79/generic", "8dev_carambola2").await,
        "profile": "8dev,carambola2",
        "target": "ath79/generic",
        "version": "24.10.4",
    });
    let (status, queued) = post_chunked(&deployment, "//api/v1/build", &request).await;
    assert_eq!(status, 202, "{queued}");
    let path = format!("//api/v1/build/{}", queued["request_hash"].as_str().unwrap());
    let done = finished(|| get_bare(&deployment, &path)).await;
    download(&deployment, &done, "squashfs-sysupgrade.bin").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_firmware_selector_asks_from_a_browser() {
    let deployment = Deployment::start().await;
    let request = json!({
        "client": "ofs/4.3.2",
        "defaults": "uci -q set system.@system[0].hostname='ofs'\n",
        "diff_packages": true,
        "packages": installed(&deployment, "x86/64", "generic").await,
        "profile": "generic",
        "repositories": {},
        "repository_keys": [],
        "rootfs_size_mb": 128,
        "target": "x86/64",
        "version": "24.10.4",
        "version_code": "r28959-29397011cc",
    });
    let url = format!("{}/api/v1/build", deployment.build.url());
    let preflight = deployment.client.request(reqwest::Method::OPTIONS, &url);
    let preflight = preflight
        .header("origin", "https://firmware-selector.openwrt.org")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "content-type");
    let preflight = preflight.send().await.unwrap();
    assert_eq!(preflight.status(), 204);
    assert_eq!(preflight.headers()["access-control-allow-headers"], "content-type");
    let done = deployment.build(&request).await;
    assert_eq!(done.status, 200, "{done:?}");
    assert!(done.body["titles"].is_array() && done.body["manifest"].is_object() && done.body["build_cmd"].is_array());
    download(&deployment, &done.body, "squashfs-combined.img.gz").await;
    let impossible = json!({"version": "24.10.4", "target": "x86/64", "profile": "generic", "packages": ["nonesuch"]});
    let failed = deployment.build(&impossible).await;
    assert!(failed.detail().starts_with("Error: Impossible package selection: "), "{failed:?}");
}
