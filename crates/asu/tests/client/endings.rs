//! The exit codes, one by one, where no other test has them.

use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use tempfile::tempdir;
use tokio::{
    net::TcpListener,
    time::{sleep, timeout},
};

use crate::{
    fake_server::Reply,
    images::{LOOK_UP, PREPARE, good_server, started},
    run::{DEVICE, asu, build, build_words, run},
};

#[tokio::test]
async fn wrong_usage_is_2() {
    run(&["build"]).await.ended_with(2).says("--version");
    run(&["build", "--server", "ftp://a.example"]).await.ended_with(2).says("http:// or https://");
    run(&[&["build", "--defaults", "/nonexistent"], &DEVICE[..]].concat())
        .await
        .ended_with(2)
        .says("cannot read /nonexistent");
    run(&["build", "--help"]).await.ended_with(0).prints("Exit codes:");
}

#[tokio::test]
async fn an_unreachable_server_is_3() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let run = run(&[&["build", "--yes", "--json", "--server", &url], &DEVICE[..]].concat()).await.ended_with(3);
    assert_eq!(run.json()["status"], serde_json::Value::Null);
    run.says(&format!("asu: no answer from {url}")).says("onnection refused");
}

#[tokio::test]
async fn a_build_that_takes_too_long_is_3() {
    let (server, directory) = (good_server().await, tempdir().unwrap());
    server.on(LOOK_UP, [started("init")]);
    let run = build(&server, directory.path(), &["--yes", "--timeout", "8s"]).await;
    run.ended_with(3).says("the same command takes it up again");
}

#[tokio::test]
async fn a_server_that_never_answers_is_3() {
    let (server, directory) = (good_server().await, tempdir().unwrap());
    server.on(PREPARE, [Reply::Silence]);
    build(&server, directory.path(), &["--yes", "--timeout", "300ms"]).await.ended_with(3).says("not done within");
}

#[tokio::test]
async fn the_last_words_of_a_server_cannot_steer_the_terminal() {
    let (server, directory) = (good_server().await, tempdir().unwrap());
    let detail = "busy\u{1b}]0;owned\u{7}\u{9b}2J";
    server.on(PREPARE, [Reply::Later(503, 9, json!({"status": 503, "detail": detail}))]);
    for words in [&["--yes", "--timeout", "8s"][..], &["--yes", "--timeout", "8s", "--json"]] {
        let run = build(&server, directory.path(), words).await.ended_with(3).says("not done within");
        let shown = format!("{}{}", run.stdout, run.stderr);
        assert!(!shown.chars().any(|c| c.is_control() && c != '\n'), "{shown:?}");
    }
}

#[tokio::test]
async fn the_help_does_not_show_a_password() {
    let mut command = asu(&["build", "--help"]);
    let output = command.env("ASU_SERVER", "https://me:hunter2@a.example").output().await.unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    assert!(help.contains("ASU_SERVER") && !help.contains("hunter2"), "{help}");
}

#[tokio::test]
async fn an_interrupt_is_130() {
    let (server, directory) = (good_server().await, tempdir().unwrap());
    server.on(LOOK_UP, [started("init")]);
    let mut command = asu(&build_words(&server, directory.path(), &["--yes"]));
    let mut client = command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap();
    let asked = async {
        while server.seen_of(LOOK_UP).is_empty() {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(60), asked).await.expect("the client asks how it is going");
    kill_process(Pid::from_raw(client.id().unwrap().cast_signed()).unwrap(), Signal::INT).unwrap();
    let status = timeout(Duration::from_secs(60), client.wait()).await.expect("the client ends").unwrap();
    assert_eq!(status.code(), Some(130));
}
