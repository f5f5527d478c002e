//! Signed images, looked at without the code that made them.

use std::{fs, path::Path};

use asu_core::BuildResult;
use asu_service::{Shutdown, error_chain};
use asu_test_support::SnapshotUpstream;
use asu_worker::Config;
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use ed25519_dalek::{Signature, SigningKey, Verifier};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::{
    bench::{Bench, done, request, request_for, sha256},
    logs::Logs,
};

const FINGERPRINT: [u8; 8] = [7; 8];
const SIGNED: [&str; 5] = ["sysupgrade", "factory", "combined", "combined-efi", "sdcard"];

/// A key of this test's own, in files as usign and ucert write them.
struct Key {
    directory: TempDir,
    key: SigningKey,
    certificate: Vec<u8>,
}

impl Key {
    fn new() -> Self {
        let directory = TempDir::new().unwrap();
        let key = SigningKey::from_bytes(&rand::random());
        let certificate = blob(0, &[blob(0, &[b'x'; 70]), blob(1, b"a payload")].concat());
        let this = Self { directory, key, certificate };
        fs::write(this.path(), format!("untrusted comment: of a test\n{}\n", this.secret())).unwrap();
        fs::write(format!("{}.ucert", this.path()), &this.certificate).unwrap();
        this
    }

    fn path(&self) -> String {
        self.directory.path().join("key-build").display().to_string()
    }

    fn secret(&self) -> String {
        let (seed, public) = (self.key.to_bytes(), self.key.verifying_key().to_bytes());
        BASE64.encode([b"EdBK\0\0\0\0", &[1; 16][..], &[2; 8], &FINGERPRINT, &seed, &public].concat())
    }

    /// The image without its signature, which is this key's.
    fn stripped(&self, image: &[u8]) -> Vec<u8> {
        let (body, trailer) = image.split_at(image.len() - 16);
        assert_eq!(&trailer[..4], b"FWx0");
        assert_eq!(&trailer[8..12], [0; 4], "a signature is of type 0");
        assert_eq!(trailer[4..8], (!crc32fast::hash(body)).to_be_bytes());
        let size = u32::from_be_bytes(trailer[12..].try_into().unwrap()) as usize;
        let (image, chain) = body.split_at(image.len() - size);
        let packed = chain.strip_prefix(&self.certificate[..]).expect("our certificate comes first");
        let text = String::from_utf8(packed[8..].to_vec()).unwrap();
        assert_eq!(packed, blob(0, &blob(0, text.trim_end_matches('\0').as_bytes())));
        let line = BASE64.decode(text.trim_end_matches('\0').lines().nth(1).unwrap()).unwrap();
        assert_eq!(line[..10], [b"Ed", &FINGERPRINT[..]].concat());
        let signature = Signature::from_slice(&line[10..]).unwrap();
        self.key.verifying_key().verify(image, &signature).unwrap();
        image.to_vec()
    }

    /// Neither the text nor the bytes of the key are in there.
    fn is_not_in(&self, bytes: &[u8]) {
        for secret in [self.secret().as_bytes(), &self.secret().as_bytes()[60..90], &self.key.to_bytes()] {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret));
        }
    }
}

fn blob(kind: u32, content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap() + 4;
    let padding = vec![0; content.len().next_multiple_of(4) - content.len()];
    [&(kind << 24 | length).to_be_bytes(), content, &padding].concat()
}

/// Every file of the build has the digest that `sha256sums` says, and is listed there.
fn assert_sums(directory: &Path) {
    let sums = fs::read_to_string(directory.join("sha256sums")).unwrap();
    let mut listed: Vec<_> = sums.lines().map(|line| line.split_once(" *").unwrap()).collect();
    for (digest, name) in &listed {
        assert_eq!(sha256(&directory.join(name)), *digest, "{name}");
    }
    listed.sort_unstable_by_key(|(_, name)| *name);
    let mut names: Vec<_> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.retain(|name| name != "sha256sums");
    names.sort_unstable();
    assert_eq!(listed.into_iter().map(|(_, name)| name).collect::<Vec<_>>(), names);
}

fn images(result: &BuildResult) -> &Vec<Value> {
    result.metadata["images"].as_array().unwrap()
}

#[tokio::test]
async fn images_that_devices_verify_are_signed_where_there_is_no_network() {
    let key = Key::new();
    let bench = Bench::with(&[("build_key", &key.path())]).await;
    let (logs, _listening) = Logs::listen();
    let worker = bench.worker().await;
    // usign refuses if there is a network.
    let hash = bench.enqueue(&request_for(&["fault-sign-network"])).await;
    let result = done(bench.outcome(&hash).await);
    let directory = bench.store().join(&result.bin_dir);
    let mut signed = 0;
    for image in images(&result) {
        let path = directory.join(image["name"].as_str().unwrap());
        assert_eq!(sha256(&path), image["sha256"].as_str().unwrap(), "{image}");
        if !SIGNED.contains(&image["type"].as_str().unwrap()) {
            assert!(image.get("sha256_unsigned").is_none(), "{image}");
            continue;
        }
        let stripped = key.stripped(&fs::read(&path).unwrap());
        fs::write(key.directory.path().join("stripped"), stripped).unwrap();
        assert_eq!(sha256(&key.directory.path().join("stripped")), image["sha256_unsigned"].as_str().unwrap());
        signed += 1;
    }
    assert!(signed >= 2, "{result:#?}");
    let profiles: Value = serde_json::from_slice(&fs::read(directory.join("profiles.json")).unwrap()).unwrap();
    assert_eq!(profiles["profiles"]["buffalo_wzr-hp-g300nh-rb"]["images"], result.metadata["images"]);
    assert_sums(&directory);
    for entry in fs::read_dir(&directory).unwrap() {
        key.is_not_in(&fs::read(entry.unwrap().path()).unwrap());
    }
    key.is_not_in(&serde_json::to_vec(&result).unwrap());
    key.is_not_in(logs.text().as_bytes());
    assert_eq!(worker.metric("asu_worker_stage_duration_seconds_count{stage=\"signing_images\"}").await, 1.0);
    assert_eq!(worker.until_ready_is(200).await["dependencies"]["signing"], json!({"status": "ok"}));
    bench.assert_clean(&[&hash]).await;
    worker.stop().await;
}

/// The image that its container is made of holds no tools.
#[tokio::test]
async fn images_of_a_snapshot_are_signed_with_the_tools_that_were_set_up() {
    let (upstream, key) = (SnapshotUpstream::start().await, Key::new());
    let ([url, mirror], path) = (upstream.settings(), key.path());
    let bench = Bench::with(&[(url.0, &*url.1), (mirror.0, &*mirror.1), ("build_key", &path)]).await;
    let worker = bench.worker().await;
    let result = done(bench.build(&request(json!({"version": "SNAPSHOT"}))).await);
    let signed: Vec<_> = images(&result).iter().filter(|image| image.get("sha256_unsigned").is_some()).collect();
    assert!(!signed.is_empty(), "{result:#?}");
    for image in signed {
        let path = bench.store().join(&result.bin_dir).join(image["name"].as_str().unwrap());
        key.stripped(&fs::read(path).unwrap());
    }
    assert_eq!(worker.metric("asu_worker_builds_total{result=\"postponed\"}").await, 0.0);
    worker.stop().await;
}

/// Waits until the build is put off with these words; it is never stored, and nor are its images.
async fn check_put_off(package: &str, changes: &[(&str, &str)], words: &str) {
    let key = Key::new();
    let path = key.path();
    let changes: Vec<_> = changes.iter().copied().chain([("build_key", path.as_str())]).collect();
    let bench = Bench::with(&changes).await;
    let (logs, _listening) = Logs::listen();
    let worker = bench.worker().await;
    let hash = bench.enqueue(&request_for(&[package])).await;
    logs.until_they_say(words).await;
    assert_eq!(bench.queue.outcome(&hash).await.unwrap(), None);
    key.is_not_in(logs.text().as_bytes());
    worker.stop().await;
    bench.assert_clean(&[&hash]).await;
    assert_eq!(bench.stored(), [""; 0]);
}

#[tokio::test]
async fn a_tool_that_refuses_puts_the_build_off_and_shows_no_key() {
    check_put_off("fault-sign-refuse", &[], "`usign` ended with status 1: usign: fault-sign-refuse").await;
}

#[tokio::test]
async fn a_tool_that_changes_the_image_puts_the_build_off() {
    check_put_off("fault-sign-corrupt", &[], "what is signed is not the image").await;
}

#[tokio::test]
async fn a_tool_that_hangs_puts_the_build_off() {
    check_put_off("fault-sign-hang", &[("job_output_timeout", "15s")], "the tools exceed the limits of a build").await;
}

#[tokio::test]
async fn without_a_key_nothing_is_signed_and_that_is_said() {
    let bench = Bench::new().await;
    let (logs, _listening) = Logs::listen();
    let worker = bench.worker().await;
    let result = done(bench.build(&request_for(&["fault-sign-refuse"])).await);
    assert!(images(&result).iter().all(|image| image.get("sha256_unsigned").is_none()));
    let said = "images are not signed: build_key is not set";
    assert_eq!(logs.text().matches(said).count(), 1);
    let ready = worker.until_ready_is(200).await;
    assert_eq!(ready["dependencies"]["signing"], json!({"status": "ok", "detail": said}));
    worker.stop().await;
}

#[tokio::test]
async fn a_worker_does_not_start_with_a_key_that_it_cannot_use() {
    let bench = Bench::with(&[("build_key", "/nowhere/key-build")]).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let started = asu_worker::run(Config::load(&bench.settings).unwrap(), listener, Shutdown::new()).await;
    let error = error_chain(started.unwrap_err().as_ref());
    assert!(error.contains("build_key: cannot read /nowhere/key-build"), "{error}");
}
