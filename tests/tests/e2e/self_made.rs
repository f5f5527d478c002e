//! A release whose ImageBuilder image no registry has yet.

use std::{fs, process::Output};

use asu_test_support::{FakeUpstream, Surroundings};
use asu_tests::{Deployment, request};
use serde_json::{Value, json};

const ARCHIVE: &str = "releases/24.10.5/targets/x86/64/openwrt-imagebuilder-24.10.5-x86-64.Linux-x86_64.tar.zst";

/// A distribution of this test's own, so that nobody has made its images before.
struct Distribution {
    name: String,
    upstream: FakeUpstream,
}

impl Distribution {
    async fn new() -> Self {
        let upstream = FakeUpstream::serving(&Surroundings::get().upstream_tree).await;
        let versions = json!({"stable_version": "24.10.5", "oldstable_version": "", "versions_list": ["24.10.5"]});
        upstream.put(".versions.json", versions.to_string());
        Self { name: format!("e2e{:016x}", rand::random::<u64>()), upstream }
    }

    fn settings(&self) -> String {
        let surroundings = Surroundings::get();
        let key = fs::read_to_string(surroundings.upstream_tree.join("release.pub")).unwrap();
        let settings = json!({
            "upstream_url": self.upstream.url(),
            "base_container": surroundings.base_container,
            "imagebuilder_keys": [key],
        });
        json!({self.name.as_str(): settings}).to_string()
    }

    fn request(&self, package: &str) -> Value {
        let mut body = request("24.10.5", &[package]);
        body["distro"] = self.name.as_str().into();
        body
    }

    /// The names of the images that were made.
    fn images(&self) -> Vec<String> {
        let output = self.list("{{.Repository}}:{{.Tag}}");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        lines(output)
    }

    fn list(&self, format: &str) -> Output {
        let filter = format!("label=asu.image.distro={}", self.name);
        Surroundings::get().podman().args(["images", "--filter", &filter, "--format", format]).output().unwrap()
    }
}

fn lines(output: Output) -> Vec<String> {
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

impl Drop for Distribution {
    fn drop(&mut self) {
        let _ = Surroundings::get().podman().args(["rmi", "--force"]).args(lines(self.list("{{.ID}}"))).output();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_release_is_built_before_the_registry_has_its_images() {
    let distribution = Distribution::new().await;
    let base = format!("{}/openwrt/buildworker:latest", Surroundings::get().registry);
    let settings = [("distros", &*distribution.settings()), ("imagebuilder_base", &*base), ("concurrency", "2")];
    let mut deployment = Deployment::start_with(&settings).await;
    let bodies = ["tmux", "nano"].map(|package| distribution.request(package));
    let [first, second] = &bodies;
    let answers = tokio::join!(deployment.build(first), deployment.build(second));
    for done in [answers.0, answers.1] {
        assert_eq!((done.status.as_u16(), done.detail()), (200, "done"), "{done:?}");
        assert_eq!(done.body["version_code"], "r29087-d9c5716d1d");
    }
    assert_eq!(distribution.upstream.hits(ARCHIVE), 1, "both wait for one");
    let names = distribution.images();
    assert!(
        matches!(&names[..], [name] if name.starts_with("localhost/asu/imagebuilder:x86-64-24.10.5-")),
        "{names:?}"
    );

    deployment.workers[0].terminate();
    deployment.add_worker();
    let done = deployment.build(&distribution.request("htop")).await;
    assert_eq!((done.status.as_u16(), done.detail()), (200, "done"), "{done:?}");
    assert_eq!(distribution.upstream.hits(ARCHIVE), 1, "the other worker finds it");
    deployment.no_container_is_left().await;
}
