//! Request smuggling: nginx and the build service never disagree about where a request ends, so that nobody can put a
//! request into a connection that carries others'.

use std::net::SocketAddr;

use asu_tests::{Deployment, request};

use crate::{
    door::{Reply, get, send},
    nginx::Nginx,
};

/// `{S}` is the smuggled request, `{L}` its length in decimal and `{X}` in hexadecimal digits. The answers that nginx gives,
/// and those that the build service gives without it; the last request of each connection closes it and is answered
/// where the connection lives that long.
const ATTACKS: &[(&str, &str, &[u16], &[u16])] = &[
    (
        "both lengths, the first is meant",
        "POST /api/v1/build HTTP/1.1\r\nHost: a\r\nContent-Length: {L}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{S}",
        &[400],
        &[422],
    ),
    (
        "both lengths, the second is meant",
        "POST /api/v1/build HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n{X}\r\n{S}\r\n0\r\n\r\n",
        &[400],
        &[422],
    ),
    (
        "a coding that there is not",
        "POST /api/v1/build HTTP/1.1\r\nHost: a\r\nContent-Length: {L}\r\nTransfer-Encoding: xchunked\r\n\r\n{S}",
        &[400],
        &[400],
    ),
    (
        "a coding in front",
        "POST /api/v1/build HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n{S}",
        &[400],
        &[501],
    ),
    (
        "a coding behind",
        "POST /api/v1/build HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n{S}",
        &[400],
        &[400],
    ),
    (
        "identity alone",
        "POST /api/v1/build HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\nContent-Length: {L}\r\n\r\n{S}",
        &[400],
        &[400],
    ),
    (
        "the coding twice",
        "POST /api/v1/build HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n{S}",
        &[400],
        &[400],
    ),
    (
        "a space before the colon",
        "POST /api/v1/build HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\nContent-Length: {L}\r\n\r\n{S}",
        &[400],
        &[400],
    ),
    (
        "a folded line",
        "POST /api/v1/build HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n chunked\r\nContent-Length: {L}\r\n\r\n{S}",
        &[400],
        &[400],
    ),
    ("a folded length", "POST /api/v1/build HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n {L}\r\n\r\n{S}", &[400], &[400]),
    (
        "a vertical tab",
        "POST /api/v1/build HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \x0bchunked\r\nContent-Length: {L}\r\n\r\n{S}",
        &[400],
        &[400],
    ),
    ("NUL in a length", "POST /api/v1/build HTTP/1.1\r\nHost: a\r\nContent-Length: {L}\0\r\n\r\n{S}", &[400], &[400]),
    (
        "two lengths",
        "POST /api/v1/build HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: {L}\r\n\r\n{S}",
        &[400],
        &[400],
    ),
    (
        "two lengths in one",
        "POST /api/v1/build HTTP/1.1\r\nHost: a\r\nContent-Length: 0, {L}\r\n\r\n{S}",
        &[400],
        &[400],
    ),
    (
        "a length with a sign",
        "POST /api/v1/build HTTP/1.1\r\nHost: a\r\nContent-Length: +{L}\r\n\r\n{S}",
        &[400],
        &[400],
    ),
    ("a negative length", "POST /api/v1/build HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n{S}", &[400], &[400]),
    (
        "a hexadecimal length",
        "POST /api/v1/build HTTP/1.1\r\nHost: a\r\nContent-Length: 0x{X}\r\n\r\n{S}",
        &[400],
        &[400],
    ),
    (
        "a length beyond all",
        "POST /api/v1/build HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551616\r\n\r\n{S}",
        &[400],
        &[400],
    ),
    (
        "a chunk beyond all",
        "POST /api/v1/build HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000000\r\n{S}",
        &[400],
        &[400],
    ),
    (
        "a chunk with a sign",
        "POST /api/v1/build HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n+{X}\r\n{S}\r\n0\r\n\r\n",
        &[400],
        &[400],
    ),
    (
        "a chunk with 0x",
        "POST /api/v1/build HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0x{X}\r\n{S}\r\n0\r\n\r\n",
        &[400],
        &[400],
    ),
    (
        "a chunk that is longer than it says",
        "POST /api/v1/build HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{S}\r\n0\r\n\r\n",
        &[400],
        &[400],
    ),
    (
        "a chunked body in HTTP/1.0",
        "POST /api/v1/build HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{S}",
        &[400],
        &[400],
    ),
    (
        "a body of GET",
        "GET /api/v1/stats HTTP/1.1\r\nHost: a\r\nContent-Length: {L}\r\n\r\n{S}",
        &[200, 200],
        &[200, 200],
    ),
    (
        "a chunked body of GET",
        "GET /api/v1/stats HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{X}\r\n{S}\r\n0\r\n\r\n",
        &[200, 200],
        &[200, 200],
    ),
    (
        "a body of HEAD",
        "HEAD /api/v1/stats HTTP/1.1\r\nHost: a\r\nContent-Length: {L}\r\n\r\n{S}",
        &[200, 200],
        &[200, 200],
    ),
    (
        "a body of OPTIONS",
        "OPTIONS /api/v1/build HTTP/1.1\r\nHost: a\r\nContent-Length: {L}\r\n\r\n{S}",
        &[204, 200],
        &[204, 200],
    ),
    (
        "a body that nobody reads",
        "POST /nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: {L}\r\n\r\n{S}",
        &[404, 200],
        &[404, 200],
    ),
    (
        "a chunked body that nobody reads",
        "POST /nowhere HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{X}\r\n{S}\r\n0\r\n\r\n",
        &[404, 200],
        &[404, 200],
    ),
    (
        "a body that is refused unread",
        "POST /api/v1/build HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\nContent-Length: {L}\r\n\r\n{S}",
        &[415, 200],
        &[415],
    ),
    (
        "a body that is no request",
        "POST /api/v1/build HTTP/1.1\r\nHost: a\r\nContent-Length: {L}\r\n\r\n{S}",
        &[422, 200],
        &[422, 200],
    ),
    ("bare line ends", "GET /api/v1/stats HTTP/1.1\nHost: a\nX: {L}\n\n", &[200, 200], &[200, 200]),
    (
        "a bare line end in a header",
        "POST /api/v1/build HTTP/1.1\r\nHost: a\r\nX: b\nContent-Length: {L}\r\n\r\n{S}",
        &[422, 200],
        &[422, 200],
    ),
    (
        "a bare CR in a header",
        "GET /api/v1/stats HTTP/1.1\r\nHost: a\r\nX: b\rContent-Length: {L}\r\n\r\n{S}",
        &[400],
        &[400],
    ),
    (
        "an upgrade",
        "GET /api/v1/stats HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\nConnection: Upgrade, HTTP2-Settings\r\n\r\n",
        &[200, 200],
        &[200, 200],
    ),
    ("HTTP/2 at once", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n{S}", &[400], &[]),
    (
        "a request line of a proxy's",
        "GET http://evil.example/api/v1/stats HTTP/1.1\r\nHost: a\r\nContent-Length: {L}\r\n\r\n{S}",
        &[200, 200],
        &[200, 200],
    ),
    ("CONNECT", "CONNECT 127.0.0.1:6379 HTTP/1.1\r\nHost: a\r\n\r\n", &[400], &[404, 200]),
];

const LAST: &str = "GET /api/v1/stats HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

/// The request that is smuggled asks for a build, so that there is one if it was ever taken for a request.
fn smuggled() -> String {
    let body = request("24.10.4", &["smuggled"]).to_string();
    format!("POST /api/v1/build HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

async fn attack(address: SocketAddr, attack: &str) -> Reply {
    let smuggled = smuggled();
    let (decimal, hexadecimal) = (smuggled.len().to_string(), format!("{:x}", smuggled.len()));
    let filled = attack.replace("{L}", &decimal).replace("{X}", &hexadecimal).replace("{S}", &smuggled);
    send(address, format!("{filled}{LAST}").as_bytes()).await
}

/// The versions of nginx differ in the status with which they refuse what they take for no request.
fn refusal(by_nginx: bool, status: u16) -> u16 {
    if by_nginx && matches!(status, 405 | 501) { 400 } else { status }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_disagrees_about_where_a_request_ends() {
    let deployment = Deployment::without_workers(&[]).await;
    let nginx = Nginx::before(deployment.build.address);
    let hash = deployment.prepare(&request("24.10.4", &["smuggled"])).await.request_hash();
    let mut wrong = Vec::new();
    for (name, text, by_nginx, directly) in ATTACKS {
        for (address, expected) in [(nginx.address, by_nginx), (deployment.build.address, directly)] {
            let reply = attack(address, text).await;
            let statuses: Vec<_> =
                reply.statuses().into_iter().map(|status| refusal(address == nginx.address, status)).collect();
            if statuses != **expected {
                wrong.push(format!("{name}, {}: {:?}: {}", address.port(), reply.statuses(), reply.0));
            }
            assert_eq!(deployment.status(&hash).await.status, 404, "{name}: the smuggled request was taken for one");
            // Whoever comes next, on whatever connection to the service, has the answer to the own question.
            let next = get(nginx.address, "/api/v1/build/next").await;
            assert_eq!(next.status(), 404, "{name}: {next:?}");
            assert!(next.0.contains("could not find provided request hash"), "{name}: {next:?}");
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    // The same request in the open is one.
    assert_eq!(send(nginx.address, format!("{}{LAST}", smuggled()).as_bytes()).await.statuses(), [202, 200]);
    assert_eq!(deployment.status(&hash).await.status, 202);
}
