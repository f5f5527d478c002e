//! What every answer has in common, whatever the endpoint.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use asu_config::Settings;
use support::TestServer;

#[tokio::test]
async fn unknown_paths_and_wrong_methods_are_errors_in_our_shape() {
    let server = TestServer::start().await;
    server.get("/nowhere").await.assert_error(404, "Not Found", "not found");
    let answer = server.send("DELETE /slow HTTP/1.1\r\nHost: x\r\n\r\n").await;
    answer.assert_error(405, "Method Not Allowed", "method DELETE is not allowed here");
    assert_eq!(answer.header("allow"), Some("GET,HEAD,POST"));
    let answer = server.send("BREW /hello/x HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert_eq!((answer.status, answer.header("allow")), (405, Some("GET,HEAD")));
}

#[tokio::test]
async fn slashes_are_collapsed_for_every_method_and_without_a_redirect() {
    let server = TestServer::start().await;
    for path in ["//hello/x", "/hello/x/", "//hello//x//?1700000000", "/hello/x?a=//b/"] {
        let answer = server.get(path).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "hello x"), "{path}");
    }
    let answer = server.send("POST //echo/ HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi").await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "hi"));
    let answer = server.get("///host.example/x").await;
    assert_eq!((answer.status, answer.header("location")), (404, None));
    assert_eq!(server.get("//").await.body, "root");
}

#[tokio::test]
async fn cors_headers_stand_exactly_once_on_every_answer() {
    let server = TestServer::start().await;
    for (request, status) in [
        ("GET /hello/x", 200),
        ("HEAD /hello/x", 200),
        ("GET /own-cors", 200),
        ("GET /nowhere", 404),
        ("PUT /echo", 405),
        ("GET /panic", 500),
        ("GET /health", 200),
        ("OPTIONS /echo", 204),
        ("OPTIONS /nowhere/at/all/", 204),
        ("OPTIONS *", 204),
    ] {
        let answer = server.send(&format!("{request} HTTP/1.1\r\nHost: x\r\nOrigin: https://a.example\r\n\r\n")).await;
        assert_eq!(answer.status, status, "{request}");
        for (name, value) in [
            ("access-control-allow-origin", "*"),
            ("access-control-allow-methods", "GET, POST, HEAD, OPTIONS"),
            ("access-control-allow-headers", "content-type"),
            ("access-control-expose-headers", "X-Imagebuilder-Status, X-Queue-Position, Retry-After"),
            ("access-control-max-age", "86400"),
            ("x-content-type-options", "nosniff"),
        ] {
            assert_eq!(answer.all(name), [value], "{request}: {name}");
        }
    }
}

#[tokio::test]
async fn a_process_behind_another_one_leaves_cors_to_it() {
    let server = TestServer::with(Settings::defaults().with("cors", false)).await;
    let answer = server.send("OPTIONS /echo HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (204, None));
}

#[tokio::test]
async fn head_answers_as_get_does() {
    let server = TestServer::start().await;
    let answer = server.send("HEAD /hello/x HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert_eq!((answer.status, answer.header("content-length")), (200, Some("7")));
    let answer = server.send("HEAD /nowhere HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert_eq!((answer.status, answer.header("content-length")), (404, Some("55")));
}

#[tokio::test]
async fn a_panic_is_a_500_without_its_text_and_the_process_goes_on() {
    let server = TestServer::start().await;
    for _ in 0..3 {
        server.get("/panic").await.assert_error(500, "Internal Server Error", "internal error");
    }
    assert_eq!(server.get("/hello/x").await.status, 200);
}

#[tokio::test]
async fn a_slow_handler_is_a_503_that_says_when_to_come_back() {
    let settings = Settings::defaults().with("request_timeout", "100ms").with("body_timeout", "50ms");
    let server = TestServer::with(settings).await;
    let answer = server.get("/slow").await;
    answer.assert_error(503, "Service Unavailable", "the request took longer than 100ms");
    assert_eq!(answer.header("retry-after"), Some("5"));
}

#[tokio::test]
async fn request_ids_and_traces_are_taken_over_if_sane() {
    let server = TestServer::start().await;
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let answer = server
        .send(&format!("GET /id HTTP/1.1\r\nHost: x\r\nX-Request-Id: abc-1\r\ntraceparent: {trace}\r\n\r\n"))
        .await;
    assert_eq!(answer.header("x-request-id"), Some("abc-1"));
    assert!(answer.body.starts_with("abc-1 00-0af7651916cd43dd8448eb211c80319c-"), "{}", answer.body);
    assert!(!answer.body.contains("b7ad6b7169203331"), "the request needs a span of its own");
    let answer = server.send("GET /id HTTP/1.1\r\nHost: x\r\nX-Request-Id: a b{}\r\ntraceparent: 7\r\n\r\n").await;
    let id = answer.header("x-request-id").unwrap();
    assert!(id.len() == 16 && id.bytes().all(|b| b.is_ascii_hexdigit()), "{id}");
}

#[tokio::test]
async fn the_client_is_found_behind_trusted_proxies_only() {
    let request = "GET /client HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 10.9.9.9, 203.0.113.5\r\n\r\n";
    assert_eq!(TestServer::start().await.send(request).await.body, "127.0.0.1");
    let trusting = Settings::defaults().with("trusted_proxies", vec!["127.0.0.0/8"]);
    assert_eq!(TestServer::with(trusting).await.send(request).await.body, "203.0.113.5");
}
