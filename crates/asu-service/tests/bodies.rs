//! Bodies as clients send them, and those that are too large or too slow.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use asu_config::Settings;
use support::TestServer;
use tokio::io::AsyncWriteExt;

const TOO_LARGE: &str = "the request body is larger than 262144 bytes";

#[tokio::test]
async fn bodies_are_taken_as_old_and_new_clients_send_them() {
    let server = TestServer::start().await;
    for request in [
        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello",
        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json; charset=x\r\nContent-Length: 5\r\n\r\nhello",
        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
        "POST /echo HTTP/1.0\r\nContent-Length: 5\r\n\r\nhello",
    ] {
        let answer = server.send(request).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "hello"), "{request}");
    }
    assert_eq!(server.send("POST /echo HTTP/1.1\r\nHost: x\r\n\r\n").await.status, 200);
}

#[tokio::test]
async fn a_client_that_expects_100_continue_gets_it_before_it_sends() {
    let server = TestServer::start().await;
    let mut connection = server.connect().await;
    connection.write(b"POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n").await;
    assert_eq!(connection.answer(true).await.status, 100);
    connection.write(b"hello").await;
    assert_eq!(connection.answer(false).await.body, "hello");
    // And one that would send too much is told so instead.
    connection.write(b"POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 500000\r\n\r\n").await;
    connection.answer(false).await.assert_error(413, "Content Too Large", TOO_LARGE);
}

/// The client sends all before it reads anything, as simple ones do: a reset would cost it the answer.
#[tokio::test]
async fn too_large_a_body_is_answered_413_and_not_reset() {
    // Fifty megabytes take their time on a busy machine.
    let settings = Settings::defaults().with("request_timeout", "1m").with("body_timeout", "1m");
    let server = TestServer::with(settings).await;
    for size in [262_145, 300 * 1024, 50 * 1024 * 1024] {
        let mut connection = server.connect().await;
        connection.write(format!("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: {size}\r\n\r\n").as_bytes()).await;
        connection.write(&vec![b'x'; size]).await;
        let answer = connection.answer(false).await;
        answer.assert_error(413, "Content Too Large", TOO_LARGE);
        assert_eq!(answer.header("connection"), Some("close"), "{size}");
        assert!(connection.closed().await.is_empty());
    }
    let answer = server
        .send(&format!("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 262144\r\n\r\n{}", "x".repeat(262_144)))
        .await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn a_chunked_body_is_read_no_further_than_the_limit() {
    let server = TestServer::start().await;
    let mut connection = server.connect().await;
    connection.write(b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n").await;
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
    for _ in 0..5 {
        connection.write(chunk.as_bytes()).await;
    }
    // The answer comes although the body has no end.
    connection.answer(false).await.assert_error(413, "Content Too Large", TOO_LARGE);
    // And the server does not listen to the rest for ever.
    let sent = tokio::time::timeout(support::PATIENCE, async {
        while connection.0.write_all(chunk.as_bytes()).await.is_ok() {}
    });
    assert!(sent.await.is_ok(), "the server goes on reading");
}

#[tokio::test]
async fn an_unread_body_of_a_refused_request_does_not_cost_the_answer() {
    let server = TestServer::start().await;
    let mut connection = server.connect().await;
    let size = 5 * 1024 * 1024;
    connection.write(format!("POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: {size}\r\n\r\n").as_bytes()).await;
    connection.write(&vec![b'x'; size]).await;
    connection.answer(false).await.assert_error(404, "Not Found", "not found");
}

#[tokio::test]
async fn a_body_that_does_not_come_is_a_408() {
    let server = TestServer::with(Settings::defaults().with("body_timeout", "100ms")).await;
    let answer = server.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhe").await;
    answer.assert_error(408, "Request Timeout", "the request body took longer than 100ms");
}

/// What is inflated may have any size; nothing is.
#[tokio::test]
async fn an_encoded_body_is_refused_unread() {
    let server = TestServer::start().await;
    for coding in ["gzip", "deflate", "br", "zstd", "x-gzip", "identity, gzip", "GZIP", "\u{e9}"] {
        let request =
            format!("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Encoding: {coding}\r\nContent-Length: 5\r\n\r\nhello");
        let answer = server.send(&request).await;
        answer.assert_error(415, "Unsupported Media Type", "the request body must have no Content-Encoding");
        assert_eq!(answer.header("accept-encoding"), Some("identity"), "{coding}");
    }
    let request = "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Encoding: identity\r\nContent-Length: 5\r\n\r\nhello";
    assert_eq!(server.send(request).await.body, "hello");
}

/// Whoever disagrees with us about the end of such a request can be made to take its rest for another one.
#[tokio::test]
async fn a_transfer_coding_other_than_chunked_ends_the_connection() {
    let server = TestServer::start().await;
    for coding in ["gzip, chunked", "chunked, chunked", "identity, chunked", "chunked\r\nTransfer-Encoding: chunked"] {
        let mut connection = server.connect().await;
        let request = format!("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: {coding}\r\n\r\n0\r\n\r\n");
        connection.write(format!("{request}GET /health HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).await;
        let answer = connection.answer(false).await;
        answer.assert_error(501, "Not Implemented", "the only Transfer-Encoding here is chunked");
        assert!(connection.closed().await.is_empty(), "{coding}: nothing behind it is answered");
    }
    let request = "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: Chunked\r\n\r\n2\r\nhe\r\n0\r\n\r\n";
    assert_eq!(server.send(request).await.body, "he");
}
