//! Where images come from and what is in them: told for finished builds, and true.

use std::{
    collections::BTreeMap,
    io::Write,
    process::{Command, Stdio},
};

use asu_test_support::Surroundings;
use asu_tests::{Answer, Deployment, request};
use reqwest::StatusCode;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const MEDIA_TYPE: &str = "application/vnd.in-toto+json";

/// What registries are asked to answer with: manifests and lists of them, of either family.
const MANIFESTS: &str = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, \
    application/vnd.docker.distribution.manifest.v2+json, application/vnd.docker.distribution.manifest.list.v2+json";

fn path_of(request_hash: &str) -> String {
    format!("/api/v1/build/{request_hash}/provenance")
}

async fn statement(deployment: &Deployment, request_hash: &str) -> Value {
    let answer = deployment.get(&path_of(request_hash)).await;
    assert_eq!((answer.status, answer.header("content-type")), (StatusCode::OK, MEDIA_TYPE), "{answer:?}");
    assert_eq!(answer.header("cache-control"), "private, no-cache");
    answer.body
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("no {pointer} in {value:#}"))
}

/// The rules of in-toto and SLSA for what a field may hold.
fn check_form(statement: &Value) {
    assert_eq!(statement["_type"], "https://in-toto.io/Statement/v1");
    assert_eq!(statement["predicateType"], "https://slsa.dev/provenance/v1");
    let (definition, details) = (&statement["predicate"]["buildDefinition"], &statement["predicate"]["runDetails"]);
    for uri in [text(definition, "/buildType"), text(details, "/builder/id")] {
        assert!(reqwest::Url::parse(uri).is_ok(), "{uri}");
    }
    assert!(definition["externalParameters"].is_object() && definition["internalParameters"].is_object());
    let lists = [&statement["subject"], &definition["resolvedDependencies"], &details["byproducts"]];
    for thing in lists.into_iter().flat_map(|list| list.as_array().unwrap()) {
        let said = ["uri", "digest", "content"].iter().filter(|key| thing.get(**key).is_some()).count();
        assert!(said > 0, "neither uri nor digest nor content: {thing}");
        if let Some(sha256) = thing.pointer("/digest/sha256") {
            let sha256 = sha256.as_str().unwrap();
            assert!(sha256.len() == 64 && hex::decode(sha256).is_ok(), "{thing}");
        }
        for key in ["uri", "downloadLocation"].iter().filter_map(|key| thing.get(*key)) {
            assert!(reqwest::Url::parse(key.as_str().unwrap()).is_ok(), "{thing}");
        }
    }
    let [started, finished] = ["startedOn", "finishedOn"].map(|key| text(&details["metadata"], &format!("/{key}")));
    assert!(started.ends_with('Z') && finished.ends_with('Z') && started < finished, "{started} {finished}");
}

/// What is said of the images is what a reader finds who downloads them.
async fn check_subject(deployment: &Deployment, done: &Answer, statement: &Value) {
    let (bin_dir, images) = (text(&done.body, "/bin_dir"), done.body["images"].as_array().unwrap());
    let subject = statement["subject"].as_array().unwrap();
    assert_eq!(subject.len(), images.len());
    for image in subject {
        let bytes = deployment.download(bin_dir, text(image, "/name")).await;
        assert_eq!(text(image, "/digest/sha256"), sha256(&bytes), "{image}");
    }
}

/// The digest under which the registry hands out an image.
async fn digest_in_registry(tag: &str) -> String {
    let around = Surroundings::get();
    let repository = around.base_container.strip_prefix(&around.registry).unwrap();
    let url = format!("http://{}/v2{repository}/manifests/{tag}", around.registry);
    let answer = reqwest::Client::new().head(url).header("accept", MANIFESTS).send().await.unwrap();
    answer.headers()["docker-content-digest"].to_str().unwrap().to_owned()
}

/// Every file of the build has its line, and the line is right.
async fn check_sums(deployment: &Deployment, bin_dir: &str) {
    let sums = String::from_utf8(deployment.download(bin_dir, "sha256sums").await).unwrap();
    let sums: BTreeMap<_, _> = sums.lines().map(|line| line.split_once(" *").unwrap()).map(|(a, b)| (b, a)).collect();
    let mut files: Vec<_> = std::fs::read_dir(deployment.store().join(bin_dir))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "sha256sums")
        .collect();
    files.sort();
    assert_eq!(files, sums.keys().copied().collect::<Vec<_>>());
    for (name, sum) in sums {
        assert_eq!(sha256(&deployment.download(bin_dir, name).await), sum, "{name}");
    }
}

/// What a validator of CycloneDX makes of a document: its package URLs in their parts.
fn validated(sbom: &[u8]) -> Vec<(String, String, String, String)> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/cyclonedx/validate.py");
    let mut command = Command::new(Surroundings::get().python());
    command.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // Dropped at once, so that the script sees the end.
    child.stdin.take().unwrap().write_all(sbom).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finished_build_tells_where_it_comes_from_and_what_is_in_it() {
    let builder = "https://sysupgrade.example.org/builder";
    let deployment = Deployment::start_with(&[("provenance_builder_id", builder)]).await;
    for (version, revision_of, manager) in
        [("24.10.4", "x86-64-v24.10.4", "opkg"), ("25.12.0", "x86-64-v25.12.0", "apk")]
    {
        let done = deployment.build(&request(version, &["tmux"])).await;
        assert_eq!(done.status, 200, "{done:?}");
        let (hash, bin_dir) = (done.request_hash(), text(&done.body, "/bin_dir"));
        let statement = statement(&deployment, &hash).await;
        check_form(&statement);
        check_subject(&deployment, &done, &statement).await;
        check_sums(&deployment, bin_dir).await;

        let definition = &statement["predicate"]["buildDefinition"];
        assert_eq!(definition["externalParameters"], done.body["request"]);
        assert_eq!(definition["internalParameters"]["build_cmd"], done.body["build_cmd"]);
        let dependencies = definition["resolvedDependencies"].as_array().unwrap();
        let digest = digest_in_registry(revision_of).await;
        assert_eq!(format!("sha256:{}", text(&dependencies[0], "/digest/sha256")), digest, "{dependencies:?}");
        assert_eq!(dependencies[0]["annotations"]["digest_of"], "registry_manifest");
        assert_eq!(done.body["provenance"]["imagebuilder_image"]["digest"], digest);
        let upstream = format!("{}/releases/{version}/targets/x86/64", deployment.upstream.url());
        assert_eq!(dependencies[1]["uri"], upstream);
        assert_eq!(dependencies[1]["annotations"]["revision"], done.body["version_code"]);

        let details = &statement["predicate"]["runDetails"];
        assert_eq!(details["builder"]["id"], builder);
        assert_eq!(details["builder"]["version"]["asu-worker"], done.body["provenance"]["worker"]["version"]);
        assert!(text(details, "/metadata/asu_worker").starts_with(&format!("{}-0-", deployment.name)));
        assert!(details["metadata"]["asu_stageDurationsMs"]["building_image"].is_u64());
        assert!(bin_dir.ends_with(&text(details, "/metadata/invocationId")[..12]), "{bin_dir}: {details}");
        let byproducts = details["byproducts"].as_array().unwrap();
        let log = deployment.client.get(text(&byproducts[0], "/uri")).send().await.unwrap().text().await.unwrap();
        assert!(log.contains("Generate checksums"), "{log}");

        let sbom = deployment.client.get(text(&byproducts[2], "/downloadLocation")).send().await.unwrap();
        let sbom = sbom.bytes().await.unwrap();
        assert_eq!(sha256(&sbom), text(&byproducts[2], "/digest/sha256"));
        assert_eq!(done.body["sbom"], json!({"name": "bom.cdx.json", "sha256": sha256(&sbom)}));
        check_sbom(&done, &serde_json::from_slice(&sbom).unwrap(), validated(&sbom), manager);
    }
}

fn check_sbom(done: &Answer, sbom: &Value, purls: Vec<(String, String, String, String)>, manager: &str) {
    let found: BTreeMap<_, _> = purls
        .into_iter()
        .inspect(|(kind, namespace, _, _)| assert_eq!((&**kind, &**namespace), (manager, "openwrt")))
        .map(|(_, _, name, version)| (name, Value::from(version)))
        .collect();
    let manifest: BTreeMap<_, _> = done.body["manifest"].as_object().unwrap().clone().into_iter().collect();
    assert_eq!(found, manifest);
    let listed = sbom["components"].as_array().unwrap().iter();
    let listed: BTreeMap<_, _> =
        listed.map(|package| (text(package, "/name").to_owned(), package["version"].clone())).collect();
    assert_eq!(listed, manifest);
    assert_eq!((&sbom["bomFormat"], &sbom["specVersion"]), (&json!("CycloneDX"), &json!("1.6")));
    assert_eq!(sbom["metadata"]["timestamp"], done.body["build_at"]);
    let images = sbom["metadata"]["component"]["components"].as_array().unwrap().iter();
    let images: Vec<_> = images.map(|image| (&image["name"], &image["hashes"][0]["content"])).collect();
    let built = done.body["images"].as_array().unwrap().iter();
    assert_eq!(images, built.map(|image| (&image["name"], &image["sha256"])).collect::<Vec<_>>());
}

/// Asks with GET and HEAD, with and without a slash at the end: the same status and the same headers.
async fn asked_in_every_way(deployment: &Deployment, path: &str) -> Answer {
    let answer = deployment.get(path).await;
    for path in [path.to_owned(), format!("{path}/")] {
        let head = deployment.client.head(format!("{}{path}", deployment.build.url())).send().await.unwrap();
        assert_eq!(head.status(), answer.status, "{path}");
        for name in ["content-type", "content-length"] {
            assert_eq!(head.headers()[name].to_str().unwrap(), answer.header(name), "{path} {name}");
        }
        assert_eq!(deployment.get(&path).await.body, answer.body, "{path}");
    }
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn before_the_end_and_without_images_the_answer_is_that_of_the_build() {
    let mut deployment = Deployment::without_workers(&[]).await;
    let unknown = asked_in_every_way(&deployment, &path_of(&"0".repeat(64))).await;
    assert_eq!((unknown.status.as_u16(), unknown.detail()), (404, "could not find provided request hash"));
    assert_eq!(deployment.get(&path_of("nonsense")).await.status, 404);

    let queued = deployment.submit(&request("24.10.4", &["tmux"])).await;
    let failing = deployment.submit(&request("24.10.4", &["fault-fail"])).await;
    let waiting = asked_in_every_way(&deployment, &path_of(&queued.request_hash())).await;
    assert_eq!((waiting.status.as_u16(), waiting.detail()), (202, "queued"));
    assert_eq!((waiting.header("content-type"), waiting.header("x-queue-position")), ("application/json", "0"));

    deployment.add_worker();
    let failed = deployment.finished(&failing.request_hash()).await;
    assert_eq!(failed.status, 500, "{failed:?}");
    let told = asked_in_every_way(&deployment, &path_of(&failing.request_hash())).await;
    assert_eq!((told.status, &told.body), (failed.status, &failed.body));

    let done = deployment.finished(&queued.request_hash()).await;
    let statement = asked_in_every_way(&deployment, &path_of(&done.request_hash())).await;
    assert_eq!((statement.status.as_u16(), statement.header("content-type")), (200, MEDIA_TYPE));
    let id = text(&statement.body, "/predicate/runDetails/builder/id");
    assert_eq!(id, deployment.build.url(), "a server without a name is called what its reader calls it");

    std::fs::remove_dir_all(deployment.store().join(text(&done.body, "/bin_dir"))).unwrap();
    let again = deployment.get(&path_of(&done.request_hash())).await;
    assert_eq!(again.status, 202, "what is not there any more is built again: {again:?}");
    let again = deployment.finished(&done.request_hash()).await;
    let after = deployment.get(&path_of(&done.request_hash())).await.body;
    let attempt = "/predicate/runDetails/metadata/invocationId";
    assert_ne!(text(&statement.body, attempt), text(&after, attempt));
    check_subject(&deployment, &again, &after).await;
}
