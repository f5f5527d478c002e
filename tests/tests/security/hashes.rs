//! Cache poisoning: two requests that differ in their firmware never share a hash, and so never an image.

use std::collections::{BTreeMap, BTreeSet};

use asu_tests::{Deployment, request};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};

/// Pairs that an encoding without lengths, or without one of the fields, could not tell apart.
fn pairs() -> Vec<(&'static str, Value, Value)> {
    let key = |first: &str| format!("-----BEGIN PUBLIC KEY-----\n{first}AAA\n-----END PUBLIC KEY-----");
    let repository = |name: &str, path: &str| json!({"repositories": {name: format!("https://repo.example/{path}")}});
    vec![
        ("versions against their codes", json!({"version_code": "r1-a"}), json!({"version_code": "r1-ab"})),
        ("the end of a version in its code", json!({"version": "24.10.4"}), json!({"version": "24.10-SNAPSHOT"})),
        ("one package or two", json!({"packages": ["ab"]}), json!({"packages": ["a", "b"]})),
        ("two packages or a comma", json!({"packages": ["a", "b"]}), json!({"packages": ["a,b"]})),
        ("a comma moves", json!({"packages": ["a,", "b"]}), json!({"packages": ["a", ",b"]})),
        ("to install or to leave out", json!({"packages": ["a"]}), json!({"packages": ["-a"]})),
        ("a sign or a name", json!({"packages": ["--a"]}), json!({"packages": ["-a"]})),
        ("nothing or something", json!({"packages": []}), json!({"packages": ["a"]})),
        ("pinned or not", json!({"packages": ["a"]}), json!({"packages_versions": {"a": "1"}})),
        ("any version or none", json!({"packages": ["a"]}), json!({"packages_versions": {"a": ""}})),
        (
            "names against versions",
            json!({"packages_versions": {"a": "12"}}),
            json!({"packages_versions": {"a1": "2"}}),
        ),
        (
            "which one is pinned",
            json!({"packages_versions": {"a": "1", "b": "2"}}),
            json!({"packages_versions": {"a": "2", "b": "1"}}),
        ),
        ("an absolute list", json!({"packages": ["a"], "diff_packages": true}), json!({"packages": ["a"]})),
        ("a script or a file system", json!({"defaults": "ext4"}), json!({"filesystem": "ext4"})),
        ("a script or a size", json!({"defaults": "64"}), json!({"rootfs_size_mb": 64})),
        ("white space of a script", json!({"defaults": "a"}), json!({"defaults": "a\n"})),
        ("NUL in a script", json!({"defaults": "a\u{0}b"}), json!({"defaults": "ab"})),
        (
            "a script that looks like an encoding",
            json!({"defaults": "\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{4}ext4"}),
            json!({"defaults": "", "filesystem": "ext4"}),
        ),
        ("sizes", json!({"rootfs_size_mb": 1}), json!({"rootfs_size_mb": 10})),
        ("names against URLs", repository("a", "b"), repository("ab", "")),
        ("a slash at the end", repository("a", "b"), repository("a", "b/")),
        (
            "their mode",
            json!({"repositories": {"a": "https://repo.example/"}, "repositories_mode": "append"}),
            json!({"repositories": {"a": "https://repo.example/"}}),
        ),
        ("a key or none", json!({"repository_keys": [key("A")]}), json!({})),
        ("keys", json!({"repository_keys": [key("A")]}), json!({"repository_keys": [key("B")]})),
        (
            "targets",
            json!({"target": "ath79/generic", "profile": "8dev_carambola2"}),
            json!({"target": "x86/64", "profile": "generic"}),
        ),
        (
            "profiles",
            json!({"target": "ath79/generic", "profile": "8dev_carambola2"}),
            json!({"target": "ath79/generic", "profile": "tplink_tl-wr841-v9"}),
        ),
    ]
}

fn with(fields: &Value) -> Value {
    let mut body = request("24.10.4", &[]);
    body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    body
}

async fn deployment() -> Deployment {
    Deployment::without_workers(&[("repository_allow_list", r#"["https://repo.example"]"#)]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_differ_have_hashes_that_differ() {
    let deployment = deployment().await;
    for (name, one, other) in pairs() {
        let (one, other) = (deployment.prepare(&with(&one)).await, deployment.prepare(&with(&other)).await);
        assert_eq!((one.status.as_u16(), other.status.as_u16()), (200, 200), "{name}: {one:?} {other:?}");
        assert_ne!(one.request_hash(), other.request_hash(), "{name}");
    }
    // Who asks is no matter: this is what shares a build.
    let (mine, yours) = (with(&json!({"client": "a"})), with(&json!({"client": "b", "from_version": "23.05.5"})));
    assert_eq!(deployment.prepare(&mine).await.request_hash(), deployment.prepare(&yours).await.request_hash());
}

/// Of small alphabets, so that equal requests come up as often as nearly equal ones.
fn any_request(random: &mut StdRng) -> Value {
    let words = ["a", "b", "ab", "a,b", "-a", "-b", "1", "a1"];
    let word = |random: &mut StdRng| words[random.random_range(0..words.len())];
    let mut fields = json!({});
    let packages: Vec<_> = (0..random.random_range(0..4)).map(|_| word(random)).collect();
    fields["packages"] = json!(packages);
    if random.random_bool(0.3) {
        let name = word(random).trim_start_matches('-').to_owned();
        let version = ["", "1", "11"][random.random_range(0..3)];
        fields["packages_versions"] = json!({name: version});
    }
    if random.random_bool(0.3) {
        fields["defaults"] = ["", "a", "1", "ext4", "a\u{0}"][random.random_range(0..5)].into();
    }
    if random.random_bool(0.3) {
        fields["filesystem"] = ["ext4", "squashfs"][random.random_range(0..2)].into();
    }
    if random.random_bool(0.3) {
        fields["rootfs_size_mb"] = [1, 11, 64][random.random_range(0..3)].into();
    }
    fields["diff_packages"] = json!(random.random_bool(0.2));
    if random.random_bool(0.3) {
        let url = ["https://repo.example/", "https://repo.example/a"][random.random_range(0..2)];
        let name = ["a", "1"][random.random_range(0..2)];
        fields["repositories"] = json!({name: url});
        fields["repositories_mode"] = ["append", "replace"][random.random_range(0..2)].into();
    }
    with(&fields)
}

/// What decides the firmware, in one form.
fn firmware(prepared: &Value) -> String {
    let mut request = prepared.as_object().unwrap().clone();
    request.remove("client");
    request.remove("from_version");
    let packages: BTreeSet<_> = request["packages"].as_array().unwrap().iter().map(Value::to_string).collect();
    request["packages"] = json!(packages);
    let fields: BTreeMap<_, _> = request.into_iter().filter(|(_, value)| !value.is_null()).collect();
    json!(fields).to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_hash_is_one_firmware() {
    let deployment = deployment().await;
    let mut random = StdRng::seed_from_u64(20);
    let (mut firmware_of, mut hash_of) = (BTreeMap::new(), BTreeMap::new());
    for _ in 0..600 {
        let body = any_request(&mut random);
        let answer = deployment.prepare(&body).await;
        assert_eq!(answer.status, 200, "{body}: {answer:?}");
        let (firmware, hash) = (firmware(&answer.body["prepared_request"]), answer.request_hash());
        let known = firmware_of.entry(hash.clone()).or_insert_with(|| firmware.clone());
        assert_eq!(*known, firmware, "two firmwares of one hash");
        let known = hash_of.entry(firmware).or_insert_with(|| hash.clone());
        assert_eq!(*known, hash, "two hashes of one firmware");
    }
    assert!((50..600).contains(&hash_of.len()), "equal requests came up, and others: {}", hash_of.len());
}
