//! Repositories that a request brings: what is built with them, and what is in the ImageBuilder then.

use std::process::Command;

use asu_test_support::{PackageServer, Surroundings};
use asu_tests::{Answer, Deployment, look_inside, request};
use serde_json::{Value, json};

const SCRIPT: &str = "uci set system.@system[0].hostname='mine'\n";

struct Flavour {
    version: &'static str,
    manager: &'static str,
    /// Package, version and text.
    package: &'static str,
    /// The version in the manifest.
    built: &'static str,
    /// The feed with the base system, below upstream.
    base: &'static str,
    file: &'static str,
    /// What the file has for a repository named `mine` or `base`.
    line: fn(&str, &str) -> String,
}

const OPKG: Flavour = Flavour {
    version: "24.10.4",
    manager: "opkg",
    package: "asu-mine=1.0=of a user",
    built: "1.0",
    base: "downloads.openwrt.org/releases/24.10.4/packages/x86_64/base",
    file: "repositories.conf",
    line: |name, url| format!("src/gz {name} {url}"),
};

const APK: Flavour = Flavour {
    version: "25.12.0",
    manager: "apk",
    package: "asu-mine=1.0-r1=of a user",
    built: "1.0-r1",
    base: "downloads.openwrt.org/releases/25.12.0/packages/x86_64/base",
    file: "repositories",
    line: |_, url| format!("{url}/packages.adb"),
};

/// A server of one package that is nowhere else, and a deployment that allows it.
async fn with_server(flavour: &Flavour) -> (PackageServer, String, Deployment) {
    let server = PackageServer::start().await;
    let key = server.add_repository("mine", flavour.manager, flavour.package);
    let allowed = json!([server.url()]).to_string();
    let deployment = Deployment::start_with(&[
        ("repository_allow_list", &allowed),
        ("retry_delay", "200ms"),
        ("retry_delay_max", "1s"),
        ("shutdown_grace", "1s"),
    ])
    .await;
    (server, key, deployment)
}

fn with_repository(flavour: &Flavour, server: &PackageServer, keys: &[&str], packages: &[&str]) -> Value {
    let mut body = request(flavour.version, packages);
    body["repositories"] = json!({"mine": format!("{}/mine", server.url())});
    body["repositories_mode"] = "append".into();
    body["repository_keys"] = json!(keys);
    body
}

/// The first image of a kind, unpacked from gzip or not.
async fn image(deployment: &Deployment, done: &Answer, kind: &str) -> (String, Vec<u8>) {
    let images = done.body["images"].as_array().unwrap();
    let image = images.iter().find(|image| image["type"] == kind).unwrap_or_else(|| panic!("no {kind}: {images:?}"));
    let name = image["name"].as_str().unwrap().to_owned();
    (name.clone(), deployment.download(done.body["bin_dir"].as_str().unwrap(), &name).await)
}

async fn a_package_of_the_repository_is_in_the_image(flavour: &Flavour) {
    let (server, key, deployment) = with_server(flavour).await;
    for filesystem in ["ext4", "squashfs"] {
        let mut body = with_repository(flavour, &server, &[&key], &["asu-mine", "tmux"]);
        body["defaults"] = SCRIPT.into();
        body["rootfs_size_mb"] = 48.into();
        body["filesystem"] = filesystem.into();
        let done = deployment.build(&body).await;
        assert_eq!(done.status, 200, "{done:?}");
        assert_eq!(done.body["manifest"]["asu-mine"], flavour.built);
        let (name, bytes) = image(&deployment, &done, "rootfs").await;
        let inside = look_inside(&bytes, &name);
        assert_eq!(inside["packages"]["asu-mine"], flavour.built, "{inside}");
        assert!(inside["packages"]["tmux"].is_string() && inside["packages"]["busybox"].is_string(), "{inside}");
        assert_eq!((&inside["first_boot_script"], &inside["filesystem"]), (&json!(SCRIPT), &json!(filesystem)));
        if filesystem == "ext4" {
            assert_eq!(unpacked_size(&bytes), 48 << 20, "the partition has the size that was asked for");
        }
    }
    let untrusted = deployment.build(&with_repository(flavour, &server, &[], &["asu-mine"])).await;
    assert_eq!((untrusted.status.as_u16(), &untrusted.body["error"]), (500, &json!("repository_untrusted")));
    let expected = "Error: A repository of the request is not signed by a known key: ";
    assert_eq!(untrusted.detail(), format!("{expected}{}/mine", server.url()));
    assert!(untrusted.body["hint"].as_str().unwrap().contains("`repository_keys`"), "{untrusted:?}");
}

/// The uncompressed size of a file; OpenWrt pads some, which gunzip warns of.
fn unpacked_size(bytes: &[u8]) -> usize {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("image.gz");
    std::fs::write(&path, bytes).unwrap();
    Command::new("gunzip").arg("-c").arg(&path).output().unwrap().stdout.len()
}

async fn replacing_leaves_nothing_but_the_requests_own(flavour: &Flavour) {
    let (server, key, mut deployment) = with_server(flavour).await;
    let base = format!("{}/{}", server.url(), flavour.base);
    let replacing = |packages: &[&str]| {
        let mut body = with_repository(flavour, &server, &[&key], packages);
        body["repositories"]["base"] = base.clone().into();
        body["repositories_mode"] = "replace".into();
        body["diff_packages"] = true.into();
        body
    };
    let done = deployment.build(&replacing(&["base-files", "asu-mine"])).await;
    assert_eq!(done.status, 200, "{done:?}");
    assert_eq!(done.body["manifest"]["asu-mine"], flavour.built);
    // tmux is in a feed of upstream's that was replaced.
    let missing = deployment.build(&replacing(&["base-files", "asu-mine", "tmux"])).await;
    assert_eq!(missing.detail(), "Error: Impossible package selection: missing (tmux)", "{missing:?}");
    assert!(missing.body["hint"].as_str().unwrap().contains("`append`"), "{missing:?}");

    let hash = deployment.submit(&replacing(&["base-files", "asu-mine", "fault-slow-30"])).await.request_hash();
    assert_eq!(deployment.finished(&hash).await.body["error"], "impossible_packages", "the faults are replaced, too");
    let mut body = with_repository(flavour, &server, &[&key], &["asu-mine", "fault-slow-30"]);
    body["repositories"]["base"] = base.clone().into();
    let hash = deployment.submit(&body).await.request_hash();
    let building = |answer: &Answer| answer.body["imagebuilder_status"] == "building_image" || answer.status != 202;
    deployment.poll(&hash, building).await;
    check_files(flavour, &deployment, &server, &base, &key);
    assert!(deployment.workers[0].terminate().success());
    deployment.no_container_is_left().await;
}

/// Looks into the container of the running build.
fn check_files(flavour: &Flavour, deployment: &Deployment, server: &PackageServer, base: &str, key: &str) {
    let containers = deployment.containers();
    let container = containers[0].split(' ').next().unwrap();
    let see = |command: &str| {
        let arguments = ["exec", container, "sh", "-c", command];
        let output = Surroundings::get().podman().args(arguments).output().unwrap();
        assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let file = see(&format!("cat /builder/{}", flavour.file));
    for (name, url) in [("base", base), ("mine", &format!("{}/mine", server.url()))] {
        assert!(file.lines().any(|line| line == (flavour.line)(name, url)), "{name}: {file}");
    }
    assert!(file.contains("https://downloads.openwrt.org/"), "appended, the others stay: {file}");
    assert_eq!(file.contains("src imagebuilder file:packages"), flavour.manager == "opkg", "{file}");
    let keys = see("cat /builder/keys/*");
    assert!(keys.contains(key), "{keys}");
    assert!(see("ls /builder/keys").lines().count() >= 2, "the ImageBuilder's own key stays");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_package_of_an_opkg_repository_is_in_the_image() {
    a_package_of_the_repository_is_in_the_image(&OPKG).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_package_of_an_apk_repository_is_in_the_image() {
    a_package_of_the_repository_is_in_the_image(&APK).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn replacing_leaves_nothing_but_the_requests_own_with_opkg() {
    replacing_leaves_nothing_but_the_requests_own(&OPKG).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn replacing_leaves_nothing_but_the_requests_own_with_apk() {
    replacing_leaves_nothing_but_the_requests_own(&APK).await;
}
