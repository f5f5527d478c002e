//! No container outlives its sandbox.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::time::Duration;

use asu_sandbox::{Network, OutputStream, SandboxError};
use common::{Bench, LABEL, bash, stdout, until};
use tokio::{sync::oneshot, time::timeout};

#[tokio::test]
async fn a_sandbox_that_is_dropped_is_removed() {
    let bench = Bench::new().await;
    let sandboxes = (bench.start().await, bench.start().await);
    let mut names = vec![sandboxes.0.name().to_owned(), sandboxes.1.name().to_owned()];
    names.sort();
    let mut containers = bench.containers().await;
    containers.sort();
    assert_eq!(containers, names);
    drop(sandboxes);
    assert_eq!(bench.podman.drain(Duration::from_secs(60)).await, Vec::<String>::new());
    assert_eq!(bench.containers().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_command_that_nobody_waits_for_any_more_takes_its_container_with_it() {
    let bench = Bench::new().await;
    let sandbox = bench.start().await;
    let (sender, begun) = oneshot::channel();
    let mut sender = Some(sender);
    let mut output = |_: OutputStream, _: &[u8]| {
        sender.take().map(|sender| sender.send(()));
    };
    let command = bash("echo begin; sleep 50");
    tokio::select! {
        outcome = sandbox.exec(&command, &mut output) => panic!("{outcome:?}"),
        begun = begun => begun.unwrap(),
    }
    assert_eq!(bench.podman.drain(Duration::from_secs(60)).await, Vec::<String>::new());
    assert_eq!(bench.containers().await, Vec::<String>::new());
    drop(sandbox);
    bench.assert_clean().await;
}

#[tokio::test]
async fn a_start_that_nobody_waits_for_any_more_leaves_nothing() {
    let bench = Bench::new().await;
    for milliseconds in [0, 5, 15, 30, 60, 120, 240] {
        drop(timeout(Duration::from_millis(milliseconds), bench.podman.start(bench.spec())).await);
    }
    bench.assert_clean().await;
}

#[tokio::test]
async fn a_removal_that_nobody_waits_for_any_more_goes_on() {
    let bench = Bench::new().await;
    let sandbox = bench.start().await;
    drop(timeout(Duration::from_millis(1), sandbox.remove()).await);
    bench.assert_clean().await;
}

#[tokio::test]
async fn a_container_that_does_not_start_leaves_nothing() {
    let bench = Bench::new().await;
    let nowhere = bench.spec().network(Network::Named("asu-no-such-network".to_owned()));
    let error = bench.podman.start(nowhere).await.unwrap_err();
    assert!(matches!(error, SandboxError::Refused { .. }), "{error:?}");
    let error = bench.podman.start(bench.spec().user("nobody-by-that-name")).await.unwrap_err();
    assert!(matches!(error, SandboxError::Refused { .. }), "{error:?}");
    bench.assert_clean().await;
}

#[tokio::test]
async fn a_missing_image_is_named() {
    let bench = Bench::new().await;
    let image = "0123456789abcdef".repeat(4);
    let spec = bench.podman.spec(image.parse().unwrap(), "asu-test", Duration::from_secs(9)).label(LABEL, &bench.label);
    let error = bench.podman.start(spec).await.unwrap_err();
    assert_eq!(error.to_string(), format!("there is no image {image}"));
    bench.assert_clean().await;
}

#[tokio::test]
async fn leftovers_are_removed_by_their_label_and_others_stay() {
    let (bench, other) = (Bench::new().await, Bench::new().await);
    let (first, second, foreign) = (bench.start().await, bench.start().await, other.start().await);
    let mut removed = bench.podman.remove_leftovers(LABEL, &bench.label).await.unwrap();
    removed.sort();
    let mut names = [first.name(), second.name()];
    names.sort_unstable();
    assert_eq!(removed, names);
    assert_eq!(bench.containers().await, Vec::<String>::new());
    assert_eq!(stdout(&foreign, "echo alive").await, "alive\n");
    assert_eq!(bench.podman.remove_leftovers(LABEL, &bench.label).await.unwrap(), Vec::<String>::new());
    drop((first, second, foreign));
    bench.assert_clean().await;
    other.assert_clean().await;
}

#[tokio::test]
async fn a_container_whose_owner_is_gone_ends_by_itself() {
    let bench = Bench::new().await;
    // Long enough to be seen alive on a busy machine.
    let lifetime = Duration::from_secs(12);
    let spec = bench.podman.spec(bench.image.clone(), &bench.label, lifetime).label(LABEL, &bench.label);
    let sandbox = bench.podman.start(spec).await.unwrap();
    assert_eq!(bench.containers().await, [sandbox.name()]);
    // As if the process had died: nothing is dropped.
    std::mem::forget(sandbox);
    until("the container is gone", async || bench.containers().await.is_empty()).await;
}
