//! A Podman whose answers make no sense, played by the test.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::time::Duration;

use asu_sandbox::{Captured, Podman, Sandbox, SandboxError};
use common::{bash, config, settings};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{UnixListener, UnixStream},
};

/// What a command prints, framed as Podman does: on a stream that does not exist, and Podman's own words instead of it.
const NO_STREAM: &str = "\u{9}\0\0\0\0\0\0\u{1}x";
const CANNOT_START: &str = "\u{2}\0\0\0\0\0\0\u{19}Error: runc: exec failed\n";

/// Answers like Podman, but nonsense where the tests look.
async fn answer(mut connection: UnixStream) {
    let mut request = vec![0; 65536];
    let size = connection.read(&mut request).await.unwrap();
    let request = String::from_utf8_lossy(&request[..size]);
    let line = request.lines().next().unwrap();
    let upgrade = |output| format!("HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n{output}");
    let json = |status: &str, body: &str| {
        format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len())
    };
    let answer = match line {
        _ if line.contains("/exec/garbled/start") => upgrade(NO_STREAM),
        _ if line.contains("/exec/failing/start") => upgrade(CANNOT_START),
        _ if line.contains("/exec/failing/json") => json("200 OK", r#"{"Running":false,"ExitCode":125}"#),
        _ if request.contains("cannot-start") => json("201 Created", r#"{"Id":"failing"}"#),
        _ if line.contains("/containers/c/exec") => json("201 Created", r#"{"Id":"garbled"}"#),
        _ if line.contains("/containers/create") => json("201 Created", r#"{"Id":"c","Warnings":[]}"#),
        _ if line.contains("/libpod/_ping") => json("418 I'm a teapot", "short and stout"),
        _ if line.contains("/libpod/info") => {
            json("200 OK", r#"{"host":{"security":{"rootless":true},"ociRuntime":null}}"#)
        }
        _ if line.contains("/libpod/version") => json("200 OK", r#"{"Version":"9.9"}"#),
        _ if line.contains("/exists") => json("204 No Content", ""),
        _ if line.contains("/images/") => json("200 OK", r#"{"Id":"nonsense"}"#),
        _ => json("200 OK", "[]"),
    };
    connection.write_all(answer.as_bytes()).await.unwrap();
    connection.flush().await.unwrap();
}

/// A Podman that the test plays.
fn play() -> (TempDir, Podman) {
    let directory = TempDir::new().unwrap();
    let socket = directory.path().join("podman.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            tokio::spawn(answer(connection));
        }
    });
    let podman = Podman::connect(&config(settings().with("podman_socket", socket.to_str().unwrap()))).unwrap();
    (directory, podman)
}

async fn start(podman: &Podman) -> Sandbox {
    let spec = podman.spec("0".repeat(64).parse().unwrap(), "asu-test", Duration::from_secs(9));
    podman.start(spec).await.unwrap()
}

#[tokio::test]
async fn answers_that_make_no_sense_are_errors_and_no_panics() {
    let (_directory, podman) = play();
    let error = podman.ping().await.unwrap_err();
    assert!(matches!(&error, SandboxError::Refused { source, .. } if source.code == 418), "{error:?}");
    let error = podman.image(&"localhost/a:b".parse().unwrap()).await.unwrap_err();
    assert!(matches!(error, SandboxError::Garbled { .. }), "{error:?}");
    let error = start(&podman).await.exec(&bash("true"), &mut Captured::default()).await.unwrap_err();
    assert!(matches!(error, SandboxError::Garbled { .. }), "podman-api panics in the task that reads: {error:?}");
}

#[tokio::test]
async fn a_command_that_podman_cannot_start_has_not_failed() {
    let (_directory, podman) = play();
    let error = start(&podman).await.exec(&bash("cannot-start"), &mut Captured::default()).await.unwrap_err();
    let SandboxError::NotStarted { source, .. } = error else { panic!("{error:?}") };
    assert_eq!(source.message, "runc: exec failed");
}

#[tokio::test]
async fn a_podman_that_tells_little_about_itself_can_be_used() {
    let (_directory, podman) = play();
    let facts = podman.facts().await.unwrap();
    assert_eq!((facts.version.as_str(), facts.rootless, facts.runtime.as_str()), ("9.9", true, ""));
    assert!(facts.has_build_network && facts.controllers.is_empty());
}
