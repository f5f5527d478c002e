//! Header and log injection: nothing that a client sends becomes a header, a second answer, or a line of a log.

use asu_tests::Deployment;
use serde_json::Value;

use crate::door::{get, get_with, send};

/// Header lines of a request for a page, and the status of its one answer.
const LINES: &[(&[u8], u16)] = &[
    (b"X-Request-Id: a%0d%0aX-Evil: 1\r\n", 200),
    (b"X-Request-Id: {\"message\": \"forged\"}\r\n", 200),
    (b"X-Request-Id: a\rX-Evil: 1\r\n", 400),
    (b"X-Request-Id: a\r\n X-Evil: 1\r\n", 400),
    (b"X-Request-Id: a\0b\r\n", 400),
    (b"X-Request-Id: \xff\xfe\r\n", 200),
    (b"X-Request-Id: a\x1b[2Jb\r\n", 400),
    (b"X-Evil : 1\r\n", 400),
    (b"X-Evil\r\n", 400),
    (b": 1\r\n", 400),
    (b"X\x0b-Evil: 1\r\n", 400),
    (b"traceparent: 00-\"><script>forged</script>-01\r\n", 200),
    (b"X-Forwarded-For: 192.0.2.1, {\"message\": \"forged\"}\r\n", 200),
    (b"X-Forwarded-Proto: javascript\r\n", 200),
    (b"X-Forwarded-Host: evil.example\r\n", 200),
    (b"Forwarded: host=evil.example\r\n", 200),
    (b"User-Agent: {\"message\": \"forged\"}\r\n", 200),
    (b"Range: bytes=0-1\tX-Evil: 1\r\n", 200),
];

/// Targets in whose answer something of the target may stand.
const TARGETS: &[(&str, u16)] = &[
    ("/api/v1/build/x%0d%0aX-Evil:%201", 404),
    ("/api/v1/build/%0a{%22message%22:%22forged%22}/log", 404),
    ("/store/x%0d%0aX-Evil:%201/y", 404),
    ("/json/v1/releases/24.10.4%0d%0aX-Evil:%201/targets/x86/64/index.json", 404),
    ("/stats?branch=%0d%0aX-Evil:%201", 200),
    ("/api/v1/top-packages?branch=%0d%0aX-Evil:%201", 422),
    ("/%0d%0aX-Evil:%201", 404),
    ("/%0a{%22message%22:%22forged%22}", 404),
    ("/\tHTTP/1.1", 400),
];

/// Bodies whose fault is told in a header, `X-Unknown-Package`, too.
const BODIES: &[&str] = &[
    r#"{"packages": ["a\r\nX-Evil: 1"], "version": "24.10.4", "target": "x86/64", "profile": "generic"}"#,
    r#"{"packages": ["a\u0000\u001b[2J"], "version": "24.10.4", "target": "x86/64", "profile": "generic"}"#,
    r#"{"packages": ["\n{\"message\": \"forged\"}"], "version": "24.10.4", "target": "x86/64", "profile": "generic"}"#,
    r#"{"version": "\r\n\r\nHTTP/1.1 200 OK\r\nX-Evil: 1", "target": "x86/64", "profile": "generic"}"#,
    r#"{"version": "24.10.4", "target": "x86/64", "profile": "\u2028\r\nX-Evil: 1"}"#,
    r#"{"version": "24.10.4", "target": "x86/64", "profile": "generic", "repositories": {"\r\nX-Evil": "1"}}"#,
];

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_client_becomes_a_header_or_a_line() {
    let deployment = Deployment::without_workers(&[("log_level", "debug"), ("server_stats", "true")]).await;
    let address = deployment.build.address;
    for (line, status) in LINES {
        let reply = get_with(address, "/", line).await;
        let (head, body) = reply.parts();
        assert_eq!(reply.status(), *status, "{}: {reply:?}", line.escape_ascii());
        assert!(!head.contains("evil") && !head.contains("forged"), "{}: {head}", line.escape_ascii());
        assert!(!body.contains("javascript:") && !body.contains("evil.example"), "{}: {body}", line.escape_ascii());
    }
    for (target, status) in TARGETS {
        let reply = get(address, target).await;
        assert_eq!(reply.status(), *status, "{target}: {reply:?}");
        assert!(!reply.parts().0.contains("x-evil"), "{target}: {reply:?}");
    }
    for body in BODIES {
        let length = body.len();
        let head =
            format!("POST /api/v1/build HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n");
        let reply = send(address, &[head.as_bytes(), body.as_bytes()].concat()).await;
        let head = reply.parts().0;
        assert!(head.starts_with("http/1.1 422 "), "{body}: {reply:?}");
        assert!(!head.lines().any(|line| line.starts_with("x-evil") || line.contains('\0')), "{body}: {head}");
        assert!(head.lines().all(|line| !line.contains('\u{1b}')), "{body}: {head}");
    }
    let lines = deployment.build.log();
    assert!(lines.len() > LINES.len(), "each request has its line: {lines:?}");
    for line in lines {
        let parsed: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(parsed["message"] != "forged" && parsed["timestamp"].is_string(), "{line}");
    }
}
