//! JSON bombs and compressed bodies: answered at once with a 4xx, and without the memory that they ask for.

use asu_tests::{Answer, Deployment};
use serde_json::json;

use crate::door::{PATIENT, submit, with};

/// The most memory that a service may have taken when all of it is over, in KiB; it starts with some 50 MiB.
const MOST_MEMORY: u64 = 300 * 1024;

const GOOD: &str = r#""version": "24.10.4", "target": "x86/64", "profile": "generic""#;

fn bombs() -> Vec<(&'static str, String, u16)> {
    let object = |more: &str| format!("{{{GOOD}, {more}}}");
    let many = |text: &str, count: usize| vec![text; count].join(",");
    vec![
        ("a deep list", "[".repeat(200_000), 422),
        ("a deep list that is closed", format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)), 422),
        ("a deep object", r#"{"a":"#.repeat(40_000), 422),
        ("a deep field", object(&format!(r#""x": {}{}"#, "[".repeat(100_000), "]".repeat(100_000))), 422),
        ("a deep package", object(&format!(r#""packages": {}1{}"#, "[".repeat(120), "]".repeat(120))), 422),
        ("a number beyond all", object(r#""rootfs_size_mb": 1e999999999"#), 422),
        ("a number of 200,000 digits", object(&format!(r#""rootfs_size_mb": {}"#, "9".repeat(200_000))), 422),
        ("a long fraction", object(&format!(r#""rootfs_size_mb": 0.{}1"#, "0".repeat(200_000))), 422),
        ("a negative size", object(r#""rootfs_size_mb": -1"#), 422),
        ("a size that wraps around", object(r#""rootfs_size_mb": 4294967360"#), 422),
        ("not a number", object(r#""rootfs_size_mb": NaN"#), 422),
        ("endless", object(r#""rootfs_size_mb": Infinity"#), 422),
        ("a key twice, the last one bad", object(r#""version": ["24.10.4"]"#), 422),
        ("a key twice, the last one good", format!(r#"{{"version": "../..", {GOOD}}}"#), 202),
        ("a key twice in a map", object(r#""packages_versions": {"a": "1", "a": "../.."}"#), 422),
        ("a long name", object(&format!(r#""profile": "{}""#, "a".repeat(200_000))), 422),
        ("a long package", object(&format!(r#""packages": ["{}"]"#, "a".repeat(129))), 422),
        ("a long script", object(&format!(r#""defaults": "{}""#, "a".repeat(20_481))), 422),
        ("too many packages", object(&format!(r#""packages": [{}]"#, many(r#""a""#, 2001))), 422),
        ("too many empty packages", object(&format!(r#""packages": [{}]"#, many(r#""""#, 50_000))), 422),
        ("too many repositories", object(&format!(r#""repositories": {{{}}}"#, repositories(17))), 422),
        ("too many keys", object(&format!(r#""repository_keys": [{}]"#, many(r#""a""#, 17))), 422),
        ("a long client", object(&format!(r#""client": "{}""#, "a".repeat(100_000))), 202),
        ("many unknown fields", object(&unknown(20_000)), 202),
        (
            "escapes that are longer than their text",
            object(&format!(r#""profile": "{}""#, "\\u0061".repeat(30_000))),
            422,
        ),
        ("something behind the end", format!("{{{GOOD}}}{{{GOOD}}}"), 422),
        ("NUL behind the end", format!("{{{GOOD}}}\0"), 422),
        ("a comment", format!("{{/**/{GOOD}}}"), 422),
        ("a comma too many", format!("{{{GOOD},}}"), 422),
        ("single quotes", format!("{{{GOOD}}}").replace('"', "'"), 422),
        ("one byte too many", " ".repeat(256 * 1024 + 1), 413),
        ("the most that is read", " ".repeat(256 * 1024), 422),
    ]
}

fn repositories(count: usize) -> String {
    (0..count).map(|number| format!(r#""r{number}": "https://repo.example/""#)).collect::<Vec<_>>().join(",")
}

fn unknown(count: usize) -> String {
    (0..count).map(|number| format!(r#""x{number}": 0"#)).collect::<Vec<_>>().join(",")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bomb_is_a_request_like_any_other() {
    let deployment = Deployment::without_workers(&PATIENT).await;
    for (name, body, status) in bombs() {
        let answer = submit(&deployment, body).await;
        assert_eq!(answer.status, status, "{name}: {answer:?}");
        let length: usize = answer.header("content-length").parse().unwrap();
        assert!(length < 20_000, "{name}: an answer does not grow with its request: {length}");
    }
    for (name, bytes) in
        [("UTF-16", &b"\xff\xfe{\0}\0"[..]), ("overlong UTF-8", b"{\"a\": \"\xc0\xaf\"}"), ("CBOR", b"\xa1")]
    {
        assert_eq!(submit(&deployment, bytes).await.status, 422, "{name}");
    }
    assert!(most_memory(&deployment) < MOST_MEMORY, "{} KiB", most_memory(&deployment));
    assert_eq!(deployment.submit(&with("packages", json!(["tmux"]))).await.status, 202, "others are served");
}

/// 32 MiB of spaces make some 32 KiB of gzip; nothing here is ever inflated.
#[tokio::test(flavor = "multi_thread")]
async fn a_compressed_body_is_not_inflated() {
    let deployment = Deployment::without_workers(&PATIENT).await;
    let bomb = gzip(32 << 20);
    assert!(bomb.len() < 100_000, "{}", bomb.len());
    let urls = [
        format!("{}/api/v1/build", deployment.build.url()),
        format!("{}/api/v1/build/prepare", deployment.prepare.url()),
    ];
    for coding in ["gzip", "x-gzip", "deflate", "br", "zstd", "compress", "gzip, gzip", "identity, gzip", "*"] {
        for url in &urls {
            let request = deployment.client.post(url).header("content-encoding", coding).body(bomb.clone());
            let answer = Answer::read(request.send().await.unwrap()).await;
            assert_eq!(answer.status, 415, "{url} {coding}: {answer:?}");
        }
    }
    let plain = deployment.client.post(format!("{}/api/v1/build", deployment.build.url())).body(bomb);
    assert_eq!(plain.send().await.unwrap().status(), 422, "without a word about it, it is just no JSON");
    assert!(most_memory(&deployment) < MOST_MEMORY, "{} KiB", most_memory(&deployment));
}

fn gzip(size: usize) -> Vec<u8> {
    let script = format!("head -c {size} /dev/zero | tr '\\0' ' ' | gzip -9");
    let output = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
    assert!(output.status.success());
    output.stdout
}

/// The largest resident set that the build service has had.
fn most_memory(deployment: &Deployment) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", deployment.build.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse().unwrap()
}
