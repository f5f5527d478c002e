//! Releases that the registry lacks: made of upstream's archive, once, and only of what upstream has signed.

use std::{fs, process::Output};

use asu_core::BuildRequest;
use asu_test_support::{Behaviour, FakeUpstream, Surroundings};
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use serde_json::json;
use toml::Value;

use crate::{
    bench::{Bench, done, failure, request},
    logs::Logs,
};

const SUMS: &str = "releases/24.10.5/targets/ath79/generic/sha256sums";
const SIGNATURE: &str = "releases/24.10.5/targets/ath79/generic/sha256sums.sig";
const ARCHIVE: &str =
    "releases/24.10.5/targets/ath79/generic/openwrt-imagebuilder-24.10.5-ath79-generic.Linux-x86_64.tar.zst";

/// That of another target: signed with the right key, and another text.
const OTHER_SIGNATURE: &str = "releases/24.10.5/targets/x86/64/sha256sums.sig";

/// A distribution of this test's own, so that no other test and no earlier run has made its images.
struct Scene {
    bench: Bench,
    upstream: FakeUpstream,
    distro: String,
}

impl Scene {
    async fn start() -> Self {
        let mut bench = Bench::new().await;
        let upstream = FakeUpstream::serving(&Surroundings::get().upstream_tree).await;
        let distro = format!("test{:016x}", rand::random::<u64>());
        let base = format!("{}/openwrt/buildworker:latest", Surroundings::get().registry);
        bench.settings = bench.settings.with("imagebuilder_base", base);
        let mut scene = Self { bench, upstream, distro };
        scene.use_registry(&Surroundings::get().base_container);
        scene
    }

    fn use_registry(&mut self, base_container: &str) {
        let key = fs::read_to_string(Surroundings::get().upstream_tree.join("release.pub")).unwrap();
        let distro = toml::Table::from_iter([
            ("base_container".to_owned(), Value::from(base_container)),
            ("upstream_url".to_owned(), Value::from(self.upstream.url())),
            ("imagebuilder_keys".to_owned(), Value::from(vec![key])),
        ]);
        let distros = toml::Table::from_iter([(self.distro.clone(), Value::from(distro))]);
        self.bench.settings = self.bench.settings.clone().with("distros", distros);
    }

    fn request(&self, package: &str) -> BuildRequest {
        request(json!({"version": "24.10.5", "distro": self.distro, "packages": [package]}))
    }

    /// The ids of the images that were made.
    fn images(&self) -> Vec<String> {
        let output = self.list();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        lines(output)
    }

    fn list(&self) -> Output {
        let filter = format!("label=asu.image.distro={}", self.distro);
        Surroundings::get().podman().args(["images", "--quiet", "--filter", &filter]).output().unwrap()
    }
}

fn lines(output: Output) -> Vec<String> {
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

impl Drop for Scene {
    fn drop(&mut self) {
        let _ = Surroundings::get().podman().args(["rmi", "--force"]).args(lines(self.list())).output();
    }
}

/// A signature of a key that nobody trusts.
fn of_nobody() -> String {
    let bytes = [b"Ed", &[3; 8][..], &[0; 64]].concat();
    format!("untrusted comment: x\n{}\n", BASE64.encode(bytes))
}

#[tokio::test]
async fn a_release_without_an_image_is_made_of_its_archive_once() {
    let mut scene = Scene::start().await;
    let worker = scene.bench.worker_with(&[("concurrency", 2)]).await;
    let mut hashes = Vec::new();
    for package in ["iwinfo", "tmux"] {
        hashes.push(scene.bench.enqueue(&scene.request(package)).await);
    }
    for hash in &hashes {
        let result = done(scene.bench.outcome(hash).await);
        assert_eq!(result.metadata["version_code"], "r29087-d9c5716d1d");
    }
    assert_eq!((scene.upstream.hits(ARCHIVE), scene.images().len()), (1, 1));
    assert_eq!(worker.metric("asu_worker_images_made_total").await, 1.0);
    worker.stop().await;

    // Another worker has what this one made, also while upstream is away, and the registry.
    scene.upstream.go_away().await;
    let second = scene.bench.worker().await;
    done(scene.bench.build(&scene.request("nano")).await);
    second.stop().await;
    scene.use_registry("127.0.0.1:1/openwrt/imagebuilder");
    let third = scene.bench.worker().await;
    done(scene.bench.build(&scene.request("htop")).await);
    assert_eq!(third.metric("asu_worker_images_made_total").await, 0.0);
    assert!(third.metric("asu_worker_pull_failures_total").await >= 1.0);
    third.stop().await;
    scene.bench.assert_clean(&hashes.iter().collect::<Vec<_>>()).await;
}

#[tokio::test]
async fn what_upstream_has_not_signed_is_not_used_and_no_fault_of_a_request() {
    let scene = Scene::start().await;
    let (logs, _listening) = Logs::listen();
    let worker = scene.bench.worker().await;
    let upstream = &scene.upstream;
    let tree = &Surroundings::get().upstream_tree;
    let read = |path: &str| fs::read(tree.join(path)).unwrap();
    let cases: [(&dyn Fn(), &str); 8] = [
        (&|| upstream.put(SUMS, [read(SUMS), b"\n".to_vec()].concat()), "is not that of key"),
        (&|| upstream.put(SIGNATURE, read(OTHER_SIGNATURE)), "is not that of key"),
        (&|| upstream.put(SIGNATURE, of_nobody()), "of key 0303030303030303, which is not known here"),
        (&|| upstream.set(SIGNATURE, Behaviour::Garbage), "not a usign signature"),
        (&|| upstream.set(SIGNATURE, Behaviour::Status(404)), "upstream has no releases/24.10.5/targets/ath79"),
        (&|| upstream.put(ARCHIVE, "no archive"), "has another digest than"),
        (&|| upstream.set(ARCHIVE, Behaviour::Truncated), "tar.zst from upstream"),
        (&|| upstream.set(ARCHIVE, Behaviour::Status(404)), "tar.zst"),
    ];
    // Upstream is away between the cases, so that no attempt sees one half of each.
    upstream.set(SUMS, Behaviour::Status(503));
    let hash = scene.bench.enqueue(&scene.request("iwinfo")).await;
    for (spoil, text) in cases {
        logs.until_they_say("upstream answered 503").await;
        spoil();
        upstream.set(SUMS, Behaviour::Normal);
        logs.until_they_say(text).await;
        upstream.set(SUMS, Behaviour::Status(503));
        logs.until_they_say("upstream answered 503").await;
        for path in [SIGNATURE, ARCHIVE] {
            upstream.set(path, Behaviour::Normal);
        }
        for path in [SUMS, SIGNATURE, ARCHIVE] {
            upstream.remove(path);
        }
    }
    assert_eq!(scene.bench.queue.outcome(&hash).await.unwrap(), None);
    assert!(scene.images().is_empty());
    upstream.behave();
    done(scene.bench.outcome(&hash).await);
    worker.stop().await;
}

#[tokio::test]
async fn a_release_that_nobody_has_is_not_found() {
    let scene = Scene::start().await;
    let worker = scene.bench.worker().await;
    let nowhere = request(json!({"version": "24.10.99", "distro": scene.distro}));
    assert_eq!(failure(scene.bench.build(&nowhere).await).kind(), "image_not_found");
    assert!(scene.upstream.hits("releases/24.10.99/targets/ath79/generic/sha256sums") > 0);
    worker.stop().await;
}

#[tokio::test]
async fn without_a_base_nothing_is_made() {
    let mut scene = Scene::start().await;
    scene.bench.settings = scene.bench.settings.clone().with("imagebuilder_base", "");
    let worker = scene.bench.worker().await;
    assert_eq!(failure(scene.bench.build(&scene.request("iwinfo")).await).kind(), "image_not_found");
    assert_eq!(scene.upstream.hits(SUMS), 0);
    worker.stop().await;
}

#[tokio::test]
async fn a_base_that_is_not_there_is_named_by_its_setting() {
    let mut scene = Scene::start().await;
    let base = format!("{}/openwrt/no-such-base:latest", Surroundings::get().registry);
    scene.bench.settings = scene.bench.settings.clone().with("imagebuilder_base", base);
    let (logs, _listening) = Logs::listen();
    let worker = scene.bench.worker().await;
    let hash = scene.bench.enqueue(&scene.request("iwinfo")).await;
    logs.until_they_say("the image of imagebuilder_base cannot be had: the registry has no image").await;
    assert_eq!(scene.bench.queue.outcome(&hash).await.unwrap(), None);
    assert_eq!(scene.upstream.hits(ARCHIVE), 0);
    worker.stop().await;
}
