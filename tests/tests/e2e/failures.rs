//! Every kind of failure, provoked: its status, its words, its name and its hint.

use std::{collections::BTreeSet, fs, path::Path};

use asu_test_support::{PackageServer, Surroundings};
use asu_tests::{Answer, Deployment, request};
use serde_json::{Value, json};

/// What the worker of a case is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Worker {
    /// As the API expects it.
    Normal,
    /// With less of everything.
    Limited,
    /// Impatient with silent commands.
    Impatient,
    /// Where no ImageBuilder images are.
    WithoutImages,
    /// With a shorter list of repositories than the API.
    Strict,
}

/// A kind, its worker, a request, the beginning of `detail`, and words of `hint`.
struct Case(&'static str, Worker, Value, &'static str, &'static str);

/// Kinds that tests of their own provoke: below, and what an operator does in `operator`.
const ALONE: [&str; 3] = ["timeout", "gave_up", "cancelled"];

const RELEASE: &str = "24.10.4";

fn with(changes: Value) -> Value {
    let mut body = request(RELEASE, &[]);
    body.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    body
}

fn on_a_router(package: &str) -> Value {
    with(json!({"target": "ath79/generic", "profile": "8dev_carambola2", "packages": [package]}))
}

fn with_repository(url: &str) -> Value {
    with(json!({"repositories": {"mine": url}, "repositories_mode": "append", "packages": ["asu-mine"]}))
}

/// Texts that the contract has are whole.
fn cases(server: &PackageServer) -> Vec<Case> {
    use Worker::{Impatient, Limited, Normal, Strict, WithoutImages};
    let mine = format!("{}/mine", server.url());
    let packages = |version: &str, names: &[&str]| request(version, names);
    vec![
        Case(
            "incorrect_version",
            Normal,
            with(json!({"version_code": "r1-deadbeef"})),
            "Error: Received incorrect version r28959-29397011cc (requested r1-deadbeef)",
            "r28959-29397011cc",
        ),
        Case(
            "not_in_manifest",
            Normal,
            with(json!({"packages_versions": {"nftables": "1"}})),
            "Error: Impossible package selection: nftables not in manifest",
            "`packages_versions`",
        ),
        Case(
            "other_version",
            Normal,
            with(json!({"packages_versions": {"tmux": "0.0-none"}})),
            "Error: Impossible package selection: tmux version not as requested: 0.0-none vs. ",
            "tmux is published as ",
        ),
        Case(
            "impossible_packages",
            Normal,
            packages(RELEASE, &["tmux", "no-such-package"]),
            "Error: Impossible package selection: missing (no-such-package)",
            "missing packages",
        ),
        Case(
            "impossible_packages",
            Normal,
            packages("25.12.0", &["tmux", "no-such-package", "another-missing"]),
            "Error: Impossible package selection: missing (another-missing, no-such-package)",
            "missing packages",
        ),
        Case(
            "impossible_packages",
            Normal,
            packages(RELEASE, &["fault-clash"]),
            "Error: Impossible package selection: conflicts (dnsmasq, fault-clash)",
            "conflicting packages",
        ),
        Case(
            "impossible_packages",
            Normal,
            packages("25.12.0", &["fault-clash"]),
            "Error: Impossible package selection: conflicts (dnsmasq, fault-clash)",
            "conflicting packages",
        ),
        Case(
            "repository_not_allowed",
            Strict,
            with_repository(&mine),
            "Error: Repository not allowed: http://",
            "Leave the repository out",
        ),
        Case(
            "repository_unavailable",
            Normal,
            with_repository("http://127.0.0.1:9/x"),
            "Error: A repository of the request is not available: http://127.0.0.1:9/x/Packages.gz",
            "address",
        ),
        Case(
            "repository_untrusted",
            Normal,
            with_repository(&mine),
            "Error: A repository of the request is not signed by a known key: http://",
            "`repository_keys`",
        ),
        Case(
            "too_big",
            Normal,
            on_a_router("fault-too-big"),
            "Error: Selected packages exceed device storage",
            "-sysupgrade.bin has 1023998976 bytes, and there is room for 16384000.",
        ),
        Case(
            "too_big",
            Normal,
            packages(RELEASE, &["fault-space"]),
            "Error: Selected packages exceed device storage",
            "root.ext4 is larger than its partition. Ask for a larger `rootfs_size_mb` (up to 1024 here)",
        ),
        Case(
            "image_builder",
            Normal,
            packages(RELEASE, &["fault-fail"]),
            "Error: Error while building firmware. See stdout/stderr",
            "`stderr`",
        ),
        Case("image_not_found", WithoutImages, packages(RELEASE, &[]), "Error: Image not found: ", "some hours"),
        Case(
            "setup",
            Normal,
            packages("SNAPSHOT", &[]),
            "Error: Could not set up ImageBuilder (returncode=",
            "Try again",
        ),
        Case(
            "no_json",
            Normal,
            packages(RELEASE, &["fault-no-json"]),
            "Error: No JSON file found",
            "No image was made",
        ),
        Case(
            "profile_not_found",
            Normal,
            packages(RELEASE, &["fault-no-profile"]),
            "Error: Profile not found in JSON file",
            "another profile",
        ),
        Case(
            "no_output",
            Impatient,
            packages(RELEASE, &["fault-hang"]),
            "Error: The build was stopped after 20 seconds without any output",
            "less time",
        ),
        Case(
            "too_much_output",
            Limited,
            packages(RELEASE, &["fault-output"]),
            "Error: The build was stopped after it had printed 1048576 bytes, the most this server allows",
            "`stdout`",
        ),
        Case(
            "out_of_memory",
            Limited,
            packages(RELEASE, &["fault-memory"]),
            "Error: The build needed more memory than this server allows",
            "fewer packages",
        ),
        Case(
            "unusable_images",
            Limited,
            packages(RELEASE, &["fault-big-image"]),
            "Error: The images could not be stored: ",
            "too large",
        ),
        Case(
            "unusable_images",
            Normal,
            packages(RELEASE, &["fault-hostile-links"]),
            "Error: The images could not be stored: ",
            "",
        ),
    ]
}

fn settings(worker: Worker) -> Vec<(&'static str, String)> {
    let settings: &[(&str, &str)] = match worker {
        Worker::Normal => &[],
        Worker::Limited => &[
            ("max_output_size", "1MiB"),
            ("max_log_size", "4KiB"),
            ("container_memory", "160MiB"),
            ("max_images_size", "100MiB"),
        ],
        Worker::Impatient => &[("job_output_timeout", "20s")],
        Worker::WithoutImages => {
            let base_container = format!("{}/openwrt/no-such-imagebuilder", Surroundings::get().registry);
            return vec![("base_container", base_container)];
        }
        Worker::Strict => &[("repository_allow_list", "[]")],
    };
    settings.iter().map(|(key, value)| (*key, (*value).to_owned())).collect()
}

/// Every failure looks alike, is remembered, and stores nothing.
async fn check(deployment: &Deployment, case: &Case) {
    let Case(kind, _, body, detail, hint) = case;
    let failed = deployment.finished(&deployment.submit(body).await.request_hash()).await;
    assert_eq!((failed.status.as_u16(), &failed.body["error"]), (500, &json!(kind)), "{failed:?}");
    assert!(failed.detail().starts_with(detail), "{failed:?}");
    assert!(failed.body["hint"].as_str().is_some_and(|text| text.contains(hint)), "{failed:?}");
    assert_eq!(failed.body["imagebuilder_status"], "failed");
    assert_eq!(failed.header("x-imagebuilder-status"), "failed");
    assert!(
        failed.body["stdout"].is_string() && failed.body["stderr"].is_string() && failed.body["request"].is_object()
    );
    assert_eq!(deployment.submit(body).await.body, failed.body, "a failure is remembered");
}

/// The cases of one kind of worker.
async fn check_all(worker: Worker) {
    let server = PackageServer::start().await;
    server.add_repository("mine", "opkg", "asu-mine=1.0=text");
    let allowed = json!([server.url(), "http://127.0.0.1:9"]).to_string();
    let common = [("repository_allow_list", &*allowed), ("retry_delay", "200ms"), ("retry_delay_max", "1s")];
    let mut deployment = Deployment::without_workers(&common).await;
    let settings = settings(worker);
    deployment.add_worker_with(&settings.iter().map(|(key, value)| (*key, value.as_str())).collect::<Vec<_>>());
    for case in cases(&server).iter().filter(|case| case.1 == worker) {
        check(&deployment, case).await;
    }
    assert_eq!(deployment.stored().len(), 0, "a failed build stores nothing");
    deployment.no_container_is_left().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_fault_of_a_request_has_its_kind_its_words_and_a_hint() {
    check_all(Worker::Normal).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_limit_of_a_build_has_its_kind_its_words_and_a_hint() {
    check_all(Worker::Limited).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_build_is_told_from_others() {
    check_all(Worker::Impatient).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_without_an_imagebuilder_is_told_from_others() {
    check_all(Worker::WithoutImages).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_has_the_last_word_about_repositories() {
    check_all(Worker::Strict).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_that_takes_too_long_is_stopped() {
    let deployment = Deployment::start_with(&[("job_timeout", "20s")]).await;
    let body = request(RELEASE, &["fault-slow-30"]);
    let detail = "Error: The build was stopped after 20 seconds, the longest this server allows";
    check(&deployment, &Case("timeout", Worker::Normal, body, detail, "less time")).await;
    deployment.no_container_is_left().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_that_ends_its_worker_each_time_is_given_up() {
    let settings = [("lease", "3s"), ("redis_timeout", "1s"), ("max_attempts", "1")];
    let mut deployment = Deployment::start_with(&settings).await;
    let body = request(RELEASE, &["fault-slow-30"]);
    let hash = deployment.submit(&body).await.request_hash();
    deployment.poll(&hash, |answer| answer.detail() == "started" || answer.status != 202).await;
    deployment.workers[0].kill();
    deployment.add_worker();
    let detail = "Error: The build was given up after 1 attempts, each of which ended its worker";
    let given_up = deployment.finished(&hash).await;
    assert_eq!((given_up.status.as_u16(), given_up.detail()), (500, detail), "{given_up:?}");
    check(&deployment, &Case("gave_up", Worker::Normal, body, detail, "Try again")).await;
    deployment.no_container_is_left().await;
}

/// The kinds are those of the API's own description.
#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_failure_has_a_case() {
    let deployment = Deployment::without_workers(&[]).await;
    let document = deployment.get("/openapi.json").await.body;
    let schema = &document["components"]["schemas"]["FailedBuild"]["properties"];
    assert!(schema["hint"]["description"].is_string(), "{schema}");
    let described: BTreeSet<&str> =
        schema["error"]["enum"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let server = PackageServer::start().await;
    let cases = cases(&server);
    let provoked: BTreeSet<&str> = cases.iter().map(|case| case.0).chain(ALONE).collect();
    assert_eq!(provoked, described);
}

/// What the hint says helps.
#[tokio::test(flavor = "multi_thread")]
async fn a_root_filesystem_that_is_too_large_fits_where_the_hint_says() {
    let deployment = Deployment::start().await;
    for help in [json!({"rootfs_size_mb": 64}), json!({"filesystem": "squashfs"})] {
        let mut body = with(json!({"packages": ["fault-space"]}));
        let failed = deployment.finished(&deployment.submit(&body).await.request_hash()).await;
        let hint = failed.body["hint"].as_str().unwrap();
        for (key, value) in help.as_object().unwrap() {
            assert!(hint.contains(&format!("`{key}`")), "{hint}");
            body[key] = value.clone();
        }
        assert_eq!(deployment.build(&body).await.status, 200, "{help}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn conflicting_packages_are_named_by_both_package_managers() {
    let deployment = Deployment::start().await;
    for version in [RELEASE, "25.12.0"] {
        let failed: Answer = deployment.build(&request(version, &["nftables-json", "nftables-nojson"])).await;
        assert_eq!(failed.status, 500, "{failed:?}");
        let detail = failed.detail();
        assert!(detail.starts_with("Error: Impossible package selection: conflicts ("), "{version}: {detail}");
        assert!(detail.contains("nftables-json") && detail.contains("nftables-nojson"), "{version}: {detail}");
        assert!(!detail.contains("missing"), "{version}: {detail}");
    }
}

/// The miniature ImageBuilder misbehaves in no way that no test looks at, and in none that its text does not name.
#[test]
fn each_switch_of_the_miniature_is_described_and_used() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let world: Value =
        serde_json::from_slice(&fs::read(root.join("deploy/demo/world/packages.json")).unwrap()).unwrap();
    let names = world.as_array().unwrap().iter().filter_map(|package| package["name"].as_str());
    let switches: BTreeSet<&str> = names.filter(|name| name.starts_with("fault-")).collect();
    assert!(switches.len() > 20, "{switches:?}");
    let text = fs::read_to_string(root.join("deploy/demo/README.md")).unwrap();
    let table = text.lines().filter_map(|line| line.strip_prefix("| fault-")?.split(" |").next());
    let described: BTreeSet<String> = table
        .flat_map(|cell| cell.split(", "))
        .map(|name| format!("fault-{}", name.trim_start_matches("fault-")))
        .collect();
    assert_eq!(described.iter().map(String::as_str).collect::<BTreeSet<_>>(), switches);
    let mut sources = String::new();
    for directory in ["tests", "crates/asu-worker/tests"] {
        read_sources(&root.join(directory), &mut sources);
    }
    let unused: Vec<_> = switches.iter().filter(|name| !sources.contains(&format!("\"{name}\""))).collect();
    assert!(unused.is_empty(), "no test uses {unused:?}");
}

fn read_sources(directory: &Path, sources: &mut String) {
    for entry in fs::read_dir(directory).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            read_sources(&path, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            sources.push_str(&fs::read_to_string(path).unwrap());
        }
    }
}
