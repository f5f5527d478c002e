//! Connections: kept alive, limited, cut off when silent, and ended in order.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::time::Duration;

use asu_config::Settings;
use asu_service::{Config, Drained, bind};
use support::{PATIENCE, SERVICE, TestServer};
use tokio::{net::TcpStream, time::timeout};

const SLOW: &[u8] = b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n";
const HELLO: &[u8] = b"GET /hello/x HTTP/1.1\r\nHost: x\r\n\r\n";

#[tokio::test]
async fn a_connection_is_good_for_many_requests() {
    let server = TestServer::start().await;
    let mut connection = server.connect().await;
    for _ in 0..3 {
        connection.write(HELLO).await;
        assert_eq!(connection.answer(false).await.body, "hello x");
    }
    connection.write(&[HELLO, HELLO].concat()).await;
    assert_eq!(connection.answer(false).await.body, "hello x");
    assert_eq!(connection.answer(false).await.body, "hello x");
}

#[tokio::test]
async fn an_old_client_needs_no_host_and_gets_the_end_of_the_connection() {
    let server = TestServer::start().await;
    let mut connection = server.connect().await;
    connection.write(b"GET /hello/x HTTP/1.0\r\n\r\n").await;
    assert_eq!(connection.answer(false).await.body, "hello x");
    assert!(connection.closed().await.is_empty());
}

#[tokio::test]
async fn whoever_is_silent_or_slow_with_the_headers_is_cut_off() {
    let server = TestServer::with(Settings::defaults().with("header_timeout", "2s")).await;
    for begun in ["", "GET /hello/x HTTP/1.1\r\nHost:"] {
        let mut connection = server.connect().await;
        connection.write(begun.as_bytes()).await;
        let rest = connection.closed().await;
        assert!(!rest.starts_with(b"HTTP/1.1 2"), "{begun:?}: {}", String::from_utf8_lossy(&rest));
    }
    // Also between two requests.
    let mut connection = server.connect().await;
    connection.write(HELLO).await;
    assert_eq!(connection.answer(false).await.status, 200);
    connection.closed().await;
}

#[tokio::test]
async fn too_large_a_header_block_is_refused() {
    let server = TestServer::start().await;
    let answer = server.send(&format!("GET / HTTP/1.1\r\nHost: x\r\nX-A: {}\r\n\r\n", "x".repeat(100_000))).await;
    assert_eq!(answer.status, 431);
}

#[tokio::test]
async fn more_connections_than_allowed_wait_for_their_turn() {
    let server = TestServer::with(Settings::defaults().with("max_connections", 1)).await;
    let mut first = server.connect().await;
    first.write(SLOW).await;
    server.gate.entered().await;
    let mut second = server.connect().await;
    second.write(HELLO).await;
    assert!(timeout(Duration::from_millis(100), second.0.readable()).await.is_err(), "the second was not held back");
    server.gate.open();
    assert_eq!(first.answer(false).await.body, "at last");
    drop(first);
    assert_eq!(second.answer(false).await.body, "hello x");
}

#[tokio::test]
async fn a_taken_address_says_which() {
    let server = TestServer::start().await;
    let settings = Settings::defaults().with("listen", server.address.to_string());
    let error = bind(&SERVICE, &Config::load(&settings).unwrap()).await.unwrap_err();
    assert_eq!(error.to_string(), format!("cannot listen on {}", server.address));
}

#[tokio::test]
async fn a_shutdown_finishes_the_running_request_and_refuses_new_connections() {
    let server = TestServer::start().await;
    let mut busy = server.connect().await;
    busy.write(SLOW).await;
    server.gate.entered().await;
    let mut idle = server.connect().await;
    idle.write(HELLO).await;
    assert_eq!(idle.answer(false).await.status, 200);

    server.shutdown.begin();
    assert!(idle.closed().await.is_empty());
    let refused = async { while TcpStream::connect(server.address).await.is_ok() {} };
    timeout(PATIENCE, refused).await.expect("new connections are still accepted");
    server.gate.open();
    assert_eq!(busy.answer(false).await.body, "at last");
    assert!(busy.closed().await.is_empty());
    assert_eq!(server.end().await, Drained { cut_off: 0 });
}

#[tokio::test]
async fn a_shutdown_waits_no_longer_than_the_grace() {
    let server = TestServer::with(Settings::defaults().with("shutdown_grace", "200ms")).await;
    let mut busy = server.connect().await;
    busy.write(SLOW).await;
    server.gate.entered().await;
    assert_eq!(server.end().await, Drained { cut_off: 1 });
    assert!(busy.closed().await.is_empty());
}

#[tokio::test]
async fn a_client_that_goes_away_takes_its_request_with_it() {
    let server = TestServer::start().await;
    let mut busy = server.connect().await;
    busy.write(SLOW).await;
    server.gate.entered().await;
    drop(busy);
    assert_eq!(server.end().await, Drained { cut_off: 0 });
}
