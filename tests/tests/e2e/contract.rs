//! The rules that hold for every endpoint of both services, tried on each of them over a bare connection.

use std::net::SocketAddr;

use asu_tests::{Deployment, raw, request};
use serde_json::Value;

/// What an endpoint answers to a request that is as it should be.
struct Endpoint {
    /// `GET` stands for HEAD, too.
    method: &'static str,
    path: String,
    status: u16,
    content_type: &'static str,
    body: String,
}

const JSON: &str = "application/json";
const TEXT: &str = "text/plain; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";
const BYTES: &str = "application/octet-stream";
const METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

fn get(path: impl Into<String>, content_type: &'static str) -> Endpoint {
    Endpoint { method: "GET", path: path.into(), status: 200, content_type, body: String::new() }
}

fn post(path: &str, body: &Value) -> Endpoint {
    Endpoint { method: "POST", path: path.to_owned(), status: 200, content_type: JSON, body: body.to_string() }
}

/// One answer, taken apart.
struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

impl Answer {
    fn parse(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).unwrap().parse().unwrap();
        let headers = lines.filter_map(|line| line.split_once(": "));
        let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
        Self { status, headers, body: body.to_owned() }
    }

    fn header(&self, name: &str) -> &str {
        let values: Vec<_> = self.headers.iter().filter(|(found, _)| found == name).collect();
        assert!(values.len() <= 1, "{name} stands more than once: {values:?}");
        values.first().map_or("", |(_, value)| value)
    }

    /// What holds for each and every answer.
    fn check(&self, asked: &str) {
        assert_eq!(self.header("access-control-allow-origin"), "*", "{asked}");
        assert_eq!(self.header("x-content-type-options"), "nosniff", "{asked}");
        assert!(!self.header("access-control-expose-headers").is_empty(), "{asked}");
        assert_eq!((self.header("transfer-encoding"), self.header("content-encoding")), ("", ""), "{asked}");
        if (400..600).contains(&self.status) && !asked.starts_with("HEAD") {
            let body: Value = serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{asked}: {error}"));
            assert_eq!(
                (body["status"].as_u64(), body["detail"].is_string()),
                (Some(self.status.into()), true),
                "{asked}"
            );
            assert!(!self.body.contains(".rs") && !self.body.contains("/tmp"), "{asked}: {}", self.body);
        }
        if self.header("content-type") == JSON && !asked.starts_with("HEAD") {
            assert_eq!(self.header("content-length"), self.body.len().to_string(), "{asked}");
        }
    }
}

async fn ask(address: SocketAddr, method: &str, path: &str, body: &str) -> Answer {
    let length = if body.is_empty() { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
    let request = format!("{method} {path} HTTP/1.1\r\nHost: asu\r\n{length}Connection: close\r\n\r\n{body}");
    let answer = Answer::parse(&raw(address, request.as_bytes()).await);
    answer.check(&format!("{method} {path}"));
    answer
}

async fn check(address: SocketAddr, endpoint: &Endpoint) {
    let Endpoint { method, path, status, content_type, body } = endpoint;
    let plain = ask(address, method, path, body).await;
    assert_eq!((plain.status, plain.header("content-type")), (*status, *content_type), "{path}: {}", plain.body);
    let mark = if path.contains('?') { '&' } else { '?' };
    // The query belongs behind the slash.
    let (bare, query) = path.split_once('?').map_or((path.as_str(), String::new()), |(p, q)| (p, format!("?{q}")));
    for variant in [format!("/{path}"), format!("{bare}/{query}"), format!("{path}{mark}1732373738123")] {
        let answer = ask(address, method, &variant, body).await;
        assert_eq!((answer.status, answer.header("content-type")), (*status, *content_type), "{variant}");
    }
    if *method == "GET" {
        let head = ask(address, "HEAD", path, "").await;
        assert_eq!((head.status, head.body.as_str()), (*status, ""), "HEAD {path}");
        for header in ["content-type", "x-imagebuilder-status", "x-queue-position", "accept-ranges", "location"] {
            assert_eq!(head.header(header), plain.header(header), "HEAD {path}: {header}");
        }
    }
    let options = ask(address, "OPTIONS", path, "").await;
    assert_eq!(options.status, 204, "OPTIONS {path}");
    assert_eq!(options.header("access-control-allow-methods"), "GET, POST, HEAD, OPTIONS");
    assert_eq!(options.header("access-control-allow-headers"), "content-type");
    assert!(options.header("access-control-max-age").parse::<u32>().unwrap() > 0);
    for wrong in ["DELETE", "PATCH", if *method == "GET" { "PUT" } else { "TRACE" }] {
        let refused = ask(address, wrong, path, "").await;
        assert_eq!(refused.status, 405, "{wrong} {path}");
        assert!(refused.header("allow").split(',').any(|allowed| allowed == *method), "{wrong} {path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_endpoint_keeps_every_rule() {
    let deployment = Deployment::start_with(&[("server_stats", "true")]).await;
    let body = request("24.10.4", &["tmux"]);
    let done = deployment.build(&body).await;
    assert_eq!(done.status, 200, "{done:?}");
    let hash = done.request_hash();
    let (bin_dir, image) = (done.body["bin_dir"].as_str().unwrap(), done.body["images"][0]["name"].as_str().unwrap());
    let releases = "/json/v1/releases/24.10.4";
    let build = [
        post("/api/v1/build", &body),
        post("/api/v1/build?skip_package_resolution=true", &body),
        get(format!("/api/v1/build/{hash}"), JSON),
        get(format!("/api/v1/build/{hash}/log"), TEXT),
        get("/api/v1/revision/24.10.4/x86/64", JSON),
        get("/api/v1/stats", JSON),
        get("/api/v1/stats/summary", JSON),
        get("/api/v1/builds-per-day", JSON),
        get("/api/v1/builds-by-version", JSON),
        get("/api/v1/builds-by-version?branch=24.10", JSON),
        get("/api/v1/top-packages?branch=24.10&n=5", JSON),
        get("/api/v1/build-errors?n=5", TEXT),
        get("/json/v1/overview.json", JSON),
        get("/api/v1/overview", JSON),
        get("/api/overview", JSON),
        get("/overview", JSON),
        get("/json/v1/branches.json", JSON),
        get("/json/branches.json", JSON),
        get("/json/v1/latest.json", JSON),
        get("/json/latest.json", JSON),
        get("/api/v1/latest", JSON),
        get("/api/latest", JSON),
        get("/json/v1/distros.json", JSON),
        get("/json/v1/distros/openwrt/overview.json", JSON),
        get(format!("{releases}/targets/x86/64/index.json"), JSON),
        get(format!("{releases}/targets/x86/64/generic.json"), JSON),
        get(format!("{releases}/packages/x86_64-index.json"), JSON),
        get("/json/v1/snapshots/targets/x86/64/generic.json", JSON),
        get(format!("/store/{bin_dir}/{image}"), BYTES),
        get("/", HTML),
        get("/stats", HTML),
    ];
    let prepare = [post("/api/v1/build/prepare", &body), post("/api/v1/prepare", &body)];
    let common = || {
        let pages = [get("/docs", HTML), get("/redoc", HTML), get("/openapi.json", JSON)];
        pages.into_iter().chain([get("/health", JSON), get("/ready", JSON), get("/metrics", METRICS)])
    };
    for endpoint in build.into_iter().chain(common()) {
        check(deployment.build.address, &endpoint).await;
    }
    for endpoint in prepare.into_iter().chain(common()) {
        check(deployment.prepare.address, &endpoint).await;
    }
}

/// Segments that lead somewhere else, end a line or a text, or are no text at all.
const HOSTILE: [&str; 9] = [
    "..",
    "%2e%2e",
    "..%2f..%2fetc%2fpasswd",
    "%00",
    "%0d%0aX-Injected:%201",
    "%ff%fe",
    "%3Cscript%3E",
    "'%20or%201=1",
    "a%25%32%65",
];

#[tokio::test(flavor = "multi_thread")]
async fn no_endpoint_is_impressed_by_hostile_paths() {
    let deployment = Deployment::without_workers(&[("server_stats", "true")]).await;
    for template in [
        "/{}",
        "/api/v1/{}",
        "/api/v1/build/{}",
        "/api/v1/build/{}/log",
        "/api/v1/build/{}/log?follow=1",
        "/api/v1/revision/{}/x86/64",
        "/api/v1/revision/24.10.4/{}/64",
        "/api/v1/revision/24.10.4/x86/{}",
        "/json/v1/{}",
        "/json/v1/{}/targets/x86/64/index.json",
        "/json/v1/releases/{}/targets/x86/64/index.json",
        "/json/v1/releases/24.10.4/targets/{}/64/index.json",
        "/json/v1/releases/24.10.4/packages/{}-index.json",
        "/json/v1/distros/{}/overview.json",
        "/store/{}/image.bin",
        "/store/{}",
        "/static/{}",
        "/docs/{}",
    ] {
        for hostile in HOSTILE {
            let path = template.replace("{}", hostile);
            let answer = ask(deployment.build.address, "GET", &path, "").await;
            assert!((400..500).contains(&answer.status), "{path}: {} {}", answer.status, answer.body);
            assert!(answer.header("x-injected").is_empty() && !answer.body.contains("root:"), "{path}");
        }
    }
    for query in ["n=0", "n=101", "n=-1", "n=x", "n=%00"] {
        let answer = ask(deployment.build.address, "GET", &format!("/api/v1/top-packages?{query}"), "").await;
        assert!(matches!(answer.status, 400 | 422), "{query}: {} {}", answer.status, answer.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_whose_proxy_adds_the_cors_headers_can_switch_ours_off() {
    let deployment = Deployment::without_workers(&[("cors", "false")]).await;
    for address in [deployment.build.address, deployment.prepare.address] {
        let answer = raw(address, b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(!answer.to_ascii_lowercase().contains("access-control-"), "{answer}");
    }
}
