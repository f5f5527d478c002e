//! A web server in a container of the build network, where builds reach it and nobody else does: for repositories of
//! users, and as a cache in front of upstream.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use tempfile::TempDir;
use tokio::time::sleep;

use crate::surroundings::Surroundings;

/// The longest that the server may take to begin to listen.
const PATIENCE: Duration = Duration::from_secs(60);

/// Podman removes the container of a test that was killed after this many seconds.
const LIFETIME: &str = "900";

const PORT: &str = "8000";

/// Serves the files of a directory. Removed when it is dropped.
#[derive(Debug)]
pub struct PackageServer {
    name: String,
    address: String,
    directory: TempDir,
}

impl PackageServer {
    /// Starts a server of no files but those of upstream, which are below `downloads.openwrt.org/` as in a cache.
    ///
    /// # Panics
    /// If Podman does not start it.
    pub async fn start() -> Self {
        let directory = TempDir::with_prefix("asu-test-packages-").expect("a temporary directory");
        // The container has a user of its own.
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).expect("a directory of our own");
        let path = directory.path().to_str().expect("a path that is text");
        let name = path.rsplit('/').next().expect("a directory has a name").to_owned();
        fs::create_dir(directory.path().join("downloads.openwrt.org")).expect("a new directory takes another");
        let around = Surroundings::get();
        let upstream = format!("{}:/srv/downloads.openwrt.org:ro", around.upstream_tree.display());
        let (files, image) = (format!("{path}:/srv:ro"), format!("{}:x86-64-v24.10.4", around.base_container));
        let options = ["run", "--detach", "--rm", "--quiet", "--name", &name, "--network", "asu-build"];
        let limits = ["--timeout", LIFETIME, "--log-driver", "k8s-file"];
        let program = ["python3", "-u", "-m", "http.server", "--directory", "/srv", PORT];
        podman(&[&options[..], &limits, &["--volume", &files, "--volume", &upstream, &image], &program].concat());
        let mut server = Self { name, address: String::new(), directory };
        server.address = server.wait_for_address().await;
        server
    }

    async fn wait_for_address(&self) -> String {
        const FORMAT: &str = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
        let deadline = Instant::now() + PATIENCE;
        while !self.log().contains("Serving HTTP") {
            assert!(Instant::now() < deadline, "{} does not listen: {}", self.name, self.log());
            sleep(Duration::from_millis(50)).await;
        }
        podman(&["inspect", "--format", FORMAT, &self.name]).trim().to_owned()
    }

    /// `http://ADDRESS:PORT`, for containers of the build network.
    pub fn url(&self) -> String {
        format!("http://{}:{PORT}", self.address)
    }

    /// Writes a signed repository of one package to a path. The public key is as requests bring it.
    ///
    /// # Panics
    /// If it cannot be written.
    pub fn add_repository(&self, path: &str, manager: &str, package: &str) -> String {
        let tool = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/demo/world/make-feed");
        let mut command = Command::new(tool);
        command.arg(self.file(path)).args(["--manager", manager, "--key", path, package]);
        let output = command.output().expect("make-feed can be run");
        assert!(output.status.success(), "make-feed: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("a key is text").trim().to_owned()
    }

    /// Serves what is below `from` below `to` as well.
    ///
    /// # Panics
    /// If there is something already.
    pub fn alias(&self, from: &str, to: &str) {
        std::os::unix::fs::symlink(from, self.file(to)).expect("nothing is there yet");
    }

    /// The file that is served under a path.
    pub fn file(&self, path: &str) -> PathBuf {
        self.directory.path().join(path)
    }

    /// How often a path was asked for, whatever the answer.
    pub fn hits(&self, path: &str) -> usize {
        self.log().matches(&format!("\"GET /{path} ")).count()
    }

    /// What the server has printed.
    pub fn log(&self) -> String {
        let mut command = Surroundings::get().podman();
        let output = command.args(["logs", &self.name]).output().expect("Podman can be run");
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat()
    }
}

impl Drop for PackageServer {
    fn drop(&mut self) {
        // There is nobody to tell if this fails; Podman removes the container in the end.
        let _ = Surroundings::get().podman().args(["rm", "--force", "--time", "0", &self.name]).output();
    }
}

fn podman(arguments: &[&str]) -> String {
    let output = Surroundings::get().podman().args(arguments).output().expect("Podman can be run");
    assert!(output.status.success(), "podman {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}
