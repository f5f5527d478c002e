//! What operators and their machines are told.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::time::Duration;

use asu_config::Settings;
use asu_service::{Condition, HealthcheckError, healthcheck};
use serde_json::json;
use support::{TestServer, failing};

#[tokio::test]
async fn a_living_process_says_who_it_is() {
    let answer = TestServer::start().await.get("/health").await;
    assert_eq!(answer.json(), json!({"status": "healthy", "service": "asu-test", "version": "1.2.3"}));
}

#[tokio::test]
async fn readiness_names_every_dependency() {
    let server = TestServer::with_health(Settings::defaults(), |health| {
        health
            .with_check("redis", || async { Condition::Ok })
            .with_check("upstream", || async { Condition::Degraded("stale for 3h".to_owned()) })
    })
    .await;
    let answer = server.get("/ready").await;
    let upstream = json!({"status": "degraded", "detail": "stale for 3h"});
    let dependencies = json!({"redis": {"status": "ok"}, "upstream": upstream});
    assert_eq!((answer.status, answer.json()), (200, json!({"status": "ready", "dependencies": dependencies})));
}

#[tokio::test]
async fn a_failing_or_hanging_dependency_makes_the_process_unready() {
    let settings = Settings::defaults().with("check_timeout", "50ms");
    let server = TestServer::with_health(settings, |health| {
        health
            .with_check("redis", || async { Condition::Ok })
            .with_check("podman", || async { failing("no socket") })
            .with_check("store", std::future::pending)
    })
    .await;
    let answer = server.get("/ready").await;
    assert_eq!(answer.status, 503);
    let body = answer.json();
    assert_eq!((&body["status"], &body["detail"]), (&json!(503), &json!("failing: podman, store")));
    assert_eq!(body["dependencies"]["podman"], json!({"status": "failing", "detail": "no socket"}));
    assert_eq!(body["dependencies"]["store"], json!({"status": "failing", "detail": "no answer within 50ms"}));
}

#[tokio::test]
async fn a_process_that_shuts_down_is_unready_to_those_who_are_still_connected() {
    let server = TestServer::start().await;
    let mut busy = server.connect().await;
    busy.write(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\nGET /ready HTTP/1.1\r\nHost: x\r\n\r\n").await;
    server.gate.entered().await;
    let health = asu_service::Health::new(
        &support::SERVICE,
        &asu_service::Config::load(&Settings::defaults()).unwrap(),
        &server.shutdown,
    );
    server.shutdown.begin();
    let router: axum::Router = asu_service::operations(health, asu_service::registry(&support::SERVICE)).into();
    let request = axum::http::Request::get("/ready").body(axum::body::Body::empty()).unwrap();
    let answer = tower::ServiceExt::oneshot(router, request).await.unwrap();
    assert_eq!(answer.status(), 503);
    server.gate.open();
    assert_eq!(busy.answer(false).await.body, "at last");
}

#[tokio::test]
async fn metrics_have_labels_from_closed_sets() {
    let server = TestServer::start().await;
    server.get("/hello/alice").await;
    server.get("/hello/bob").await;
    server.get("/nowhere/1").await;
    server.send("BREW /nowhere/2 HTTP/1.1\r\nHost: x\r\n\r\n").await;
    let answer = server.get("/metrics").await;
    assert_eq!(answer.header("content-type"), Some("application/openmetrics-text; version=1.0.0; charset=utf-8"));
    for line in [
        r#"asu_http_requests_total{route="/hello/{name}",method="GET",status="200"} 2"#,
        r#"asu_http_requests_total{route="unmatched",method="GET",status="404"} 1"#,
        r#"asu_http_requests_total{route="unmatched",method="other",status="404"} 1"#,
        r#"asu_http_request_duration_seconds_count{route="/hello/{name}",method="GET"} 2"#,
        r#"asu_build_info{service="asu-test",version="1.2.3"} 1"#,
        "asu_http_requests_in_flight 1",
        "# EOF",
    ] {
        assert!(answer.body.lines().any(|found| found == line), "{line} is missing in:\n{}", answer.body);
    }
    for name in ["process_resident_memory_bytes ", "asu_uptime_seconds ", "process_start_time_seconds "] {
        assert!(answer.body.contains(&format!("\n{name}")), "{name} is missing in:\n{}", answer.body);
    }
}

#[tokio::test]
async fn a_healthcheck_asks_the_process_that_listens() {
    let server = TestServer::with_health(Settings::defaults(), |health| {
        health.with_check("redis", || async { failing("connection refused") })
    })
    .await;
    let port = server.address.port();
    let ask = |listen: String, path: &'static str| {
        tokio::task::spawn_blocking(move || healthcheck(&listen, path, Duration::from_secs(30)))
    };
    ask(format!("0.0.0.0:{port}"), "/health").await.unwrap().unwrap();
    let error = ask(format!("127.0.0.1:{port}"), "/ready").await.unwrap().unwrap_err();
    assert!(error.to_string().contains("connection refused"), "{error}");
    let error = ask("127.0.0.1:0".to_owned(), "/health").await.unwrap().unwrap_err();
    assert!(matches!(error, HealthcheckError::Address { .. }), "{error}");
    server.end().await;
    let error = ask(format!("127.0.0.1:{port}"), "/health").await.unwrap().unwrap_err();
    assert!(matches!(error, HealthcheckError::NoAnswer { .. }), "{error}");
}
