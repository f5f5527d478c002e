//! `asu serve` and the command-line client: one machine, one process.

use std::process::{Command, Output};

use asu_test_support::{FakeUpstream, Surroundings};
use serde_json::Value;
use tempfile::TempDir;

use asu_tests::{Process, binary, look_inside};

struct AllInOne {
    server: Process,
    directory: TempDir,
    _upstream: FakeUpstream,
}

impl AllInOne {
    async fn start() -> Self {
        let surroundings = Surroundings::get();
        let upstream = FakeUpstream::serving(&surroundings.upstream_tree).await;
        let directory = TempDir::new().unwrap();
        let public = directory.path().join("public");
        let settings = [
            ("upstream_url", upstream.url()),
            ("public_path", public.to_str().unwrap().to_owned()),
            ("podman_socket", surroundings.podman_socket.to_str().unwrap().to_owned()),
            ("base_container", surroundings.base_container.clone()),
            ("allow_defaults", "true".to_owned()),
            ("worker_name", format!("e2e-{:08x}", rand::random::<u32>())),
        ];
        let settings = settings.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        let server = Process::start("asu", &["serve"], directory.path(), &settings);
        Self { server, directory, _upstream: upstream }
    }

    /// Runs the client as a script would.
    fn client(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(binary("asu"));
        command.args(arguments).args(["--server", &self.server.url()]).current_dir(self.directory.path());
        command.output().unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_client_builds_and_downloads_an_image_from_the_all_in_one_server() {
    let mut all_in_one = AllInOne::start().await;
    std::fs::write(all_in_one.directory.path().join("first-boot.sh"), "echo hello\n").unwrap();
    let output = all_in_one.client(&[
        "build",
        "--version",
        "24.10.4",
        "--target",
        "x86/64",
        "--profile",
        "generic",
        "--packages",
        "auc tmux",
        "--defaults",
        "first-boot.sh",
        "--output",
        "images",
        "--yes",
        "--json",
    ]);
    let (text, log) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(output.status.success(), "{text}\n{log}");
    let report: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(report["changes"][0]["to_package"], "owut", "{report}");
    let files = report["files"].as_array().unwrap();
    let image = files.iter().find(|file| file["type"] == "combined").expect("x86 has a combined image");
    let name = image["name"].as_str().unwrap();
    let bytes = std::fs::read(all_in_one.directory.path().join("images").join(name)).unwrap();
    let inside = look_inside(&bytes, name);
    assert!(inside["packages"]["owut"].is_string() && inside["packages"]["tmux"].is_string(), "{inside}");
    assert_eq!(inside["first_boot_script"], "echo hello\n");
    assert!(all_in_one.server.terminate().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_client_says_what_the_server_says() {
    let all_in_one = AllInOne::start().await;
    let build = ["build", "--version", "24.10.4", "--target", "x86/64", "--profile", "generic", "--yes"];
    let missing = all_in_one.client(&[&build[..], &["--packages", "no-such-package"]].concat());
    assert_eq!(missing.status.code(), Some(1));
    let text = String::from_utf8(missing.stderr).unwrap();
    assert!(text.contains("Impossible package selection: missing (no-such-package)"), "{text}");
    let prepared = all_in_one.client(&[
        "prepare",
        "--version",
        "24.10.4",
        "--target",
        "x86/64",
        "--profile",
        "generic",
        "--packages",
        "auc",
        "--json",
    ]);
    let answer: Value = serde_json::from_slice(&prepared.stdout).unwrap();
    assert_eq!(answer["resolved_packages"], serde_json::json!(["owut"]));
    let refused = all_in_one.client(&[
        "prepare",
        "--version",
        "1.2.3",
        "--target",
        "x86/64",
        "--profile",
        "generic",
        "--packages",
        "auc",
    ]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8(refused.stderr).unwrap().contains("Unsupported branch: 1.2.3"));
}
