//! An upstream whose snapshots are of one test alone, and which containers can reach.

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    path::Path,
    process::Command,
};

use tempfile::TempDir;

use crate::{FakeUpstream, Surroundings};

/// The versions that upstream makes anew every day.
const VERSIONS: [&str; 2] = ["SNAPSHOT", "24.10-SNAPSHOT"];

/// A fake upstream in which all snapshots have one revision, which nobody else's have. What Podman keeps of them goes
/// when this is dropped.
pub struct SnapshotUpstream {
    /// The upstream itself.
    pub fake: FakeUpstream,
    /// The revision of its snapshots.
    pub revision: String,
    url: String,
    number: u64,
    trees: Vec<TempDir>,
    revisions: Vec<String>,
}

impl SnapshotUpstream {
    /// Publishes a first revision.
    ///
    /// # Panics
    /// Its files cannot be made.
    pub async fn start() -> Self {
        let number = 1_000_000 + RandomState::new().build_hasher().finish() % 1_000_000_000;
        let revision = render(number);
        let tree = make_tree(&revision);
        let fake = FakeUpstream::serving(tree.path()).await;
        let url = fake.open_to_containers().await;
        Self { fake, url, number, trees: vec![tree], revisions: vec![revision.clone()], revision }
    }

    /// Publishes a later revision, and answers it.
    ///
    /// # Panics
    /// Its files cannot be made.
    pub fn publish_next(&mut self) -> String {
        self.number += 1;
        self.revision = render(self.number);
        let tree = make_tree(&self.revision);
        self.fake.publish(tree.path());
        self.trees.push(tree);
        self.revisions.push(self.revision.clone());
        self.revision.clone()
    }

    /// The settings with which containers fetch from here, and everybody else asks here.
    pub fn settings(&self) -> [(&'static str, String); 2] {
        [("upstream_url", self.url.clone()), ("upstream_mirror_url", self.fake.url())]
    }

    /// The archive of the ImageBuilder of development for a target, below the upstream's URL.
    pub fn archive(target: &str) -> String {
        let dashed = target.replace('/', "-");
        format!("snapshots/targets/{target}/openwrt-imagebuilder-{dashed}.Linux-x86_64.tar.zst")
    }

    /// The names of the images that Podman keeps of a revision.
    ///
    /// # Panics
    /// Podman does not answer.
    pub fn images_of(revision: &str) -> Vec<String> {
        let filter = format!("label=asu.image.revision={revision}");
        let list = ["images", "--filter", &filter, "--format", "{{.Repository}}:{{.Tag}}"];
        let output = Surroundings::get().podman().args(list).output().expect("podman can be run");
        assert!(output.status.success(), "{output:?}");
        String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
    }
}

impl Drop for SnapshotUpstream {
    fn drop(&mut self) {
        for revision in &self.revisions {
            let filter = format!("label=asu.image.revision={revision}");
            let podman = |arguments: &[&str]| Surroundings::get().podman().args(arguments).output();
            let Ok(ids) = podman(&["images", "--quiet", "--filter", &filter]) else { continue };
            for id in String::from_utf8_lossy(&ids.stdout).lines() {
                // With the containers of a test that failed half-way; there is nobody to tell if that does not work.
                let _ = podman(&["rmi", "--force", id]);
            }
        }
    }
}

fn render(number: u64) -> String {
    format!("r{number}-{:010x}", number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 24)
}

fn make_tree(revision: &str) -> TempDir {
    let directory = TempDir::with_prefix("upstream-").expect("a temporary directory");
    let mut command = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/demo/world/make-tree"));
    command.arg(directory.path());
    for version in VERSIONS {
        command.arg("--revision").arg(format!("{version}={revision}"));
    }
    let output = command.output().expect("python3 can be run");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    directory
}
