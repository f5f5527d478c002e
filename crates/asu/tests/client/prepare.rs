//! `asu prepare`.

use serde_json::json;

use crate::{
    fake_server::{FakeServer, Reply},
    images::{HASH, PREPARE, good_server},
    run::{DEVICE, run},
};

async fn prepare(server: &str, more: &[&str]) -> crate::run::Run {
    run(&[&["prepare", "--server", server], &DEVICE[..], more].concat()).await
}

#[tokio::test]
async fn the_changes_and_their_reasons_are_shown() {
    let server = good_server().await;
    let run = prepare(&server.url, &[]).await.ended_with(0);
    let expected = format!(
        "requested  auc tmux\nresolved   owut tmux\nchanges    auc → owut  (owut took over from auc)\nhash       {HASH}\n"
    );
    assert_eq!((run.stdout, run.stderr.as_str()), (expected, ""));
    let seen = &server.seen()[0];
    assert_eq!(seen.body["packages"], json!(["auc", "tmux"]));
    assert!(seen.body["client"].as_str().unwrap().starts_with("asu/") && seen.user_agent.starts_with("asu/"));
}

#[tokio::test]
async fn json_is_the_servers_own() {
    let server = good_server().await;
    let run = prepare(&server.url, &["--json"]).await.ended_with(0);
    assert_eq!(run.json()["a_key_of_tomorrow"], 1);
}

#[tokio::test]
async fn a_refusal_is_told_in_the_servers_words() {
    let server = FakeServer::start().await;
    let body = json!({"status": 400, "detail": "Unsupported version: 24.10.4"});
    server.on(PREPARE, [Reply::Json(400, body.clone())]);
    prepare(&server.url, &[]).await.ended_with(1).says("asu: Unsupported version: 24.10.4\n");
    assert_eq!(prepare(&server.url, &["--json"]).await.ended_with(1).json(), body);
}

#[tokio::test]
async fn a_server_may_lie_below_a_path() {
    let server = FakeServer::start().await;
    server.on("POST /asu/api/v1/build/prepare", [crate::images::prepared()]);
    prepare(&format!("{}/asu/", server.url), &[]).await.ended_with(0);
}

#[tokio::test]
async fn a_server_that_cannot_prepare_is_named_as_such() {
    let server = FakeServer::start().await;
    prepare(&server.url, &[]).await.ended_with(1).says("--no-prepare");
}

#[tokio::test]
async fn an_answer_that_is_no_json_makes_no_sense() {
    let server = FakeServer::start().await;
    server.on(
        PREPARE,
        [Reply::Text(502, "<html>\u{1b}[2JBad gateway</html>"), Reply::Text(200, "<html>Please log in</html>")],
    );
    let refused = prepare(&server.url, &["--json"]).await.ended_with(3).json();
    assert_eq!(refused, json!({"status": 502, "detail": "the server answered 502"}));
    prepare(&server.url, &[]).await.ended_with(3).says("makes no sense");
}
