//! A request becomes a firmware image.

use sha2::{Digest, Sha256};

use asu_tests::{Answer, Deployment, look_inside, request};

const SCRIPT: &str = "uci set system.@system[0].hostname='e2e'\nuci commit system\n";

/// Downloads every image of a finished build, compares it with its checksum, and looks into the root filesystems.
async fn check_images(deployment: &Deployment, done: &Answer, packages: &[&str]) {
    let (bin_dir, images) = (done.body["bin_dir"].as_str().unwrap(), done.body["images"].as_array().unwrap());
    assert!(!images.is_empty());
    let mut looked_into = 0;
    for image in images {
        let name = image["name"].as_str().unwrap();
        let bytes = deployment.download(bin_dir, name).await;
        assert_eq!(hex::encode(Sha256::digest(&bytes)), image["sha256"].as_str().unwrap(), "{name}");
        if !["sysupgrade", "combined", "rootfs"].contains(&image["type"].as_str().unwrap()) {
            continue;
        }
        let inside = look_inside(&bytes, name);
        for package in packages {
            assert!(inside["packages"][package].is_string(), "{package} is not in {name}: {inside}");
        }
        assert_eq!(inside["first_boot_script"], SCRIPT, "{name}");
        looked_into += 1;
    }
    assert!(looked_into > 0, "no image has a root filesystem: {images:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn opkg_and_apk_releases_give_images_with_the_requested_packages() {
    let deployment = Deployment::start().await;
    for (version, target, profile) in [
        ("23.05.5", "x86/64", "generic"),
        ("24.10.4", "ath79/generic", "8dev,carambola2"),
        ("25.12.0", "mediatek/filogic", "glinet_gl-mt6000"),
    ] {
        let mut body = request(version, &["tmux", "nano"]);
        body["target"] = target.into();
        body["profile"] = profile.into();
        body["defaults"] = SCRIPT.into();
        let done = deployment.build(&body).await;
        assert_eq!((done.status.as_u16(), done.detail()), (200, "done"), "{version}: {done:?}");
        assert_eq!(done.body["version_number"], version);
        assert_eq!(done.body["imagebuilder_status"], "done");
        assert_eq!(done.body["request"]["profile"], profile.replace(',', "_"));
        for package in ["tmux", "nano"] {
            assert!(done.body["manifest"][package].is_string(), "{version}: {}", done.body["manifest"]);
        }
        for key in ["build_cmd", "titles", "supported_devices", "build_cmd_packages"] {
            assert!(done.body[key].is_array(), "{version}: {key}");
        }
        for key in ["stdout", "stderr", "id", "build_at", "enqueued_at", "version_code", "target", "image_prefix"] {
            assert!(done.body[key].is_string(), "{version}: {key}");
        }
        assert!(done.body.get("profiles").is_none() && done.body.get("queue_position").is_none());
        check_images(&deployment, &done, &["tmux", "nano", "busybox"]).await;
    }
    deployment.no_container_is_left().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_raw_and_a_prepared_request_share_one_build() {
    let deployment = Deployment::start().await;
    let raw = request("24.10.4", &["auc", "tmux", "luci-i18n-opkg-de"]);
    let prepared = deployment.prepare(&raw).await;
    assert_eq!(prepared.status, 200);
    assert_eq!(prepared.body["status"], "prepared");
    assert_eq!(prepared.body["original_packages"], serde_json::json!(["auc", "tmux", "luci-i18n-opkg-de"]));
    let resolved = serde_json::json!(["tmux", "luci-i18n-package-manager-de", "owut"]);
    assert_eq!(prepared.body["resolved_packages"], resolved);
    assert_eq!(prepared.body["changes"][0]["from_package"], "auc");
    assert_eq!(prepared.body["changes"][0]["to_package"], "owut");

    let done = deployment.build(&raw).await;
    assert_eq!(done.status, 200, "{done:?}");
    assert_eq!(done.request_hash(), prepared.request_hash());
    assert_eq!(done.body["request"]["packages"], resolved);
    assert!(done.body["manifest"]["owut"].is_string() && done.body["manifest"].get("auc").is_none());

    let url = format!("{}/api/v1/build?skip_package_resolution=true", deployment.build.url());
    let again = deployment.post(&url, &prepared.body["prepared_request"]).await;
    assert_eq!(again.status, 200, "the second is answered from the cache: {again:?}");
    assert_eq!(again.body, done.body);
    assert_eq!(again.header("x-imagebuilder-status"), "done");
    let url = format!("{}/api/v1/build/{}", deployment.build.url(), done.request_hash());
    let head = deployment.client.head(url).send().await.unwrap();
    let header = |name: &str| head.headers()[name].to_str().unwrap();
    assert_eq!(
        (head.status().as_u16(), header("x-imagebuilder-status"), header("x-queue-position")),
        (200, "done", "0")
    );
    assert_eq!(header("content-length"), again.header("content-length"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_absolute_package_list_removes_the_defaults() {
    let deployment = Deployment::start().await;
    let mut body = request("24.10.4", &["base-files", "busybox", "opkg", "tmux"]);
    body["diff_packages"] = "yes".into();
    let done = deployment.build(&body).await;
    assert_eq!(done.status, 200, "{done:?}");
    let manifest = done.body["manifest"].as_object().unwrap();
    assert!(manifest.contains_key("tmux") && !manifest.contains_key("ppp"), "{manifest:?}");
    let packages = done.body["build_cmd_packages"].as_array().unwrap();
    assert!(packages.iter().any(|package| package == "-ppp"), "{packages:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn equal_requests_at_once_are_one_build() {
    let deployment = Deployment::start().await;
    let body = request("24.10.4", &["tmux", "fault-slow"]);
    let answers = futures::future::join_all((0..50).map(|_| deployment.submit(&body))).await;
    let hash = answers[0].request_hash();
    assert!(answers.iter().all(|answer| answer.status == 202 && answer.request_hash() == hash));
    let stats = deployment.get("/api/v1/stats").await;
    let builds = stats.body["queue_length"].as_u64().unwrap() + stats.body["running"].as_u64().unwrap();
    assert_eq!(builds, 1, "{stats:?}");
    assert_eq!(deployment.finished(&hash).await.status, 200);
    assert_eq!(deployment.stored().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_sees_its_place_and_then_the_stages() {
    let mut deployment = Deployment::without_workers(&[("max_pending_jobs", "3")]).await;
    let mut hashes = Vec::new();
    for (position, package) in ["tmux", "nano", "htop"].into_iter().enumerate() {
        let answer = deployment.submit(&request("24.10.4", &[package, "fault-slow"])).await;
        assert_eq!((answer.status.as_u16(), answer.detail()), (202, "queued"));
        assert_eq!(answer.body["queue_position"], position);
        assert_eq!(answer.header("x-queue-position"), position.to_string());
        assert_eq!(answer.header("x-imagebuilder-status"), "queued");
        hashes.push(answer.request_hash());
    }
    let full = deployment.submit(&request("24.10.4", &["vim"])).await;
    assert_eq!(full.status, 529);
    assert_eq!(full.detail(), "server overload, queue contains too many build requests: 3");
    assert!(full.headers.contains_key("retry-after"));
    let known = deployment.submit(&request("24.10.4", &["htop", "fault-slow"])).await;
    assert_eq!((known.status.as_u16(), &known.body["queue_position"]), (202, &serde_json::json!(2)));

    deployment.add_worker();
    let building = deployment
        .poll(&hashes[0], |answer| answer.body["imagebuilder_status"] == "building_image" || answer.status != 202)
        .await;
    assert_eq!((building.status.as_u16(), building.detail()), (202, "started"), "{building:?}");
    assert_eq!(building.header("x-imagebuilder-status"), "building_image");
    assert_eq!(building.header("x-queue-position"), "0");
    assert!(building.body.get("queue_position").is_none() && building.body["request"].is_object());
    assert!(building.body["build_cmd"].is_array(), "{building:?}");
    let url = format!("{}/api/v1/build/{}", deployment.build.url(), hashes[0]);
    let head = deployment.client.head(url).send().await.unwrap();
    assert_eq!(
        (head.status().as_u16(), head.headers()["x-imagebuilder-status"].to_str().unwrap()),
        (202, "building_image")
    );
    for hash in hashes {
        assert_eq!(deployment.finished(&hash).await.status, 200);
    }
}
