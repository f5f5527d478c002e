//! Podman breaks: it is killed, hangs, or was never there.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::{path::Path, time::Duration};

use asu_sandbox::{Captured, CommandLimits, OutputStream, SandboxError};
use asu_test_support::PodmanService;
use common::{Bench, LIMITS, bash, bash_within, config, settings, until};
use tokio::sync::oneshot;

/// An output that tells when the first byte comes.
fn signal() -> (impl FnMut(OutputStream, &[u8]) + Send, oneshot::Receiver<()>) {
    let (sender, receiver) = oneshot::channel();
    let mut sender = Some(sender);
    let output = move |_: OutputStream, _: &[u8]| {
        sender.take().map(|sender| sender.send(()));
    };
    (output, receiver)
}

#[tokio::test]
async fn a_podman_that_is_not_there_is_named_so() {
    let podman = asu_sandbox::Podman::connect(&config(settings().with("podman_socket", "/nonexistent.sock"))).unwrap();
    let error = podman.ping().await.unwrap_err();
    assert!(matches!(error, SandboxError::Unreachable { .. }), "{error:?}");
    assert_eq!(error.to_string(), "cannot ask Podman for a sign of life: Podman cannot be reached");
    Bench::new().await.podman.ping().await.unwrap();
}

#[tokio::test]
async fn a_podman_that_dies_during_a_command_is_not_the_commands_fault() {
    let mut service = PodmanService::start().await;
    let bench = Bench::on_socket(&service.socket(), "30s").await;
    let sandbox = bench.start().await;
    let (mut output, started) = signal();
    let command = bash("echo begin; sleep 50; echo end");
    let (outcome, ()) = tokio::join!(sandbox.exec(&command, &mut output), async {
        started.await.unwrap();
        service.kill();
    });
    let error = outcome.unwrap_err();
    assert!(matches!(error, SandboxError::Unreachable { .. }), "{error:?}");
    drop(sandbox);
    let left = bench.podman.drain(Duration::from_millis(100)).await;
    assert_eq!(left.len(), 1, "the container cannot be removed without Podman: {left:?}");
    assert!(left[0].starts_with(&bench.label));
    service.restart().await;
    bench.assert_clean().await;
}

#[tokio::test]
async fn a_podman_that_was_restarted_during_a_command_has_lost_its_output() {
    let mut service = PodmanService::start().await;
    let bench = Bench::on_socket(&service.socket(), "30s").await;
    let sandbox = bench.start().await;
    // The service is back before the command's end is looked for: the command still runs.
    let (mut output, started) = signal();
    let command = bash("echo begin; sleep 50; echo end");
    let mut exec = Box::pin(sandbox.exec(&command, &mut output));
    tokio::select! {
        outcome = &mut exec => panic!("{outcome:?}"),
        started = started => started.unwrap(),
    }
    service.kill();
    service.restart().await;
    let error = exec.as_mut().await.unwrap_err();
    drop(exec);
    assert!(matches!(error, SandboxError::OutputLost { .. }), "{error:?}");
    until("the container that goes on is removed", async || bench.containers().await.is_empty()).await;
    drop(sandbox);
    bench.assert_clean().await;
}

#[tokio::test]
async fn a_podman_that_hangs_is_not_taken_for_a_silent_command() {
    let service = PodmanService::start().await;
    let bench = Bench::on_socket(&service.socket(), "12s").await;
    let sandbox = bench.start().await;
    let (mut output, started) = signal();
    let limits = CommandLimits { silence: Duration::from_secs(3), ..LIMITS };
    let command = bash_within("echo begin; while sleep 0.1; do echo more; done", limits);
    let (outcome, ()) = tokio::join!(sandbox.exec(&command, &mut output), async {
        started.await.unwrap();
        service.hang();
    });
    let error = outcome.unwrap_err();
    assert!(matches!(error, SandboxError::NoAnswer { .. }), "{error:?}");
    let error = bench.podman.ping().await.unwrap_err();
    assert!(matches!(error, SandboxError::NoAnswer { .. }), "{error:?}");
    service.resume();
    drop(sandbox);
    bench.assert_clean().await;
}

#[tokio::test]
async fn a_container_whose_creation_was_not_answered_is_removed() {
    let service = PodmanService::start().await;
    let bench = Bench::on_socket(&service.socket(), "12s").await;
    service.hang();
    let error = bench.podman.start(bench.spec()).await.unwrap_err();
    assert!(matches!(error, SandboxError::NoAnswer { .. }), "{error:?}");
    // Now Podman reads the request that nobody waits for any more.
    service.resume();
    bench.assert_clean().await;
}

#[tokio::test]
async fn a_podman_that_dies_while_files_come_out_leaves_an_error() {
    let mut service = PodmanService::start().await;
    let bench = Bench::on_socket(&service.socket(), "30s").await;
    let sandbox = bench.start().await;
    sandbox
        .exec(&bash("mkdir /tmp/out; head -c 100000000 /dev/zero >/tmp/out/f"), &mut Captured::default())
        .await
        .unwrap();
    let directory = tempfile::TempDir::new().unwrap();
    let limits = asu_sandbox::ArchiveLimits { bytes: 1 << 30, entries: 9, depth: 1 };
    let file = directory.path().join("f");
    let (result, ()) = tokio::join!(sandbox.get("/tmp/out", directory.path(), limits), async {
        until("the file begins to come out", async || file.exists()).await;
        service.kill();
    });
    let error = result.unwrap_err();
    assert!(matches!(error, asu_sandbox::GetError::Engine(SandboxError::Unreachable { .. })), "{error:?}");
    service.restart().await;
    drop(sandbox);
    bench.assert_clean().await;
}

#[tokio::test]
async fn only_unix_sockets_are_spoken_to() {
    let remote = config(settings().with("podman_socket", "ssh://core@host/run/podman.sock"));
    let error = asu_sandbox::Podman::connect(&remote).unwrap_err();
    assert!(matches!(error, SandboxError::UnsupportedHost { .. }), "{error:?}");
    assert!(!Path::new("ssh:").exists());
}
