//! Images: fetched from a real registry, looked up, made, removed.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::time::Duration;

use asu_sandbox::{ImageReference, PullError, RemovedImage};
use asu_test_support::Surroundings;
use common::{Bench, LABEL, reference, stdout};

#[tokio::test]
async fn an_image_is_fetched_and_then_known() {
    let bench = Bench::new().await;
    let name = reference("x86-64-v24.10.4");
    let pulled = bench.podman.pull(&name).await.unwrap();
    assert_eq!(bench.podman.image(&name).await.unwrap(), Some(pulled.clone()));
    assert_eq!(bench.podman.pull(&name).await.unwrap(), pulled);
    assert_eq!(bench.podman.image(&reference("no-such-tag")).await.unwrap(), None);
}

#[tokio::test]
async fn an_image_that_does_not_exist_is_told_from_a_registry_that_is_away() {
    let bench = Bench::new().await;
    let registry = &Surroundings::get().registry;
    for missing in [reference("no-such-tag"), format!("{registry}/no/such/repository:latest").parse().unwrap()] {
        let error = bench.podman.pull(&missing).await.unwrap_err();
        assert!(matches!(&error, PullError::NotFound { image } if *image == missing), "{error:?}");
    }
    let dead: ImageReference = "127.0.0.1:1/openwrt/imagebuilder:x".parse().unwrap();
    let error = bench.podman.pull(&dead).await.unwrap_err();
    assert!(matches!(&error, PullError::Unavailable { message, .. } if message.contains("refused")), "{error:?}");
}

#[tokio::test]
async fn what_a_container_holds_becomes_an_image_that_can_be_removed() {
    let bench = Bench::new().await;
    let name: ImageReference = format!("localhost/asu-sandbox-test:{}", bench.label).parse().unwrap();
    let sandbox = bench.start().await;
    stdout(&sandbox, "echo kept >/tmp/kept").await;
    let image = sandbox.commit(&name).await.unwrap();
    sandbox.remove().await.unwrap();
    assert_eq!(bench.podman.image(&name).await.unwrap(), Some(image.clone()));
    let spec = bench.podman.spec(image, &bench.label, Duration::from_secs(60)).label(LABEL, &bench.label);
    let sandbox = bench.podman.start(spec).await.unwrap();
    assert_eq!(stdout(&sandbox, "cat /tmp/kept").await, "kept\n");
    assert_eq!(bench.podman.remove_image(&name).await.unwrap(), RemovedImage::InUse);
    sandbox.remove().await.unwrap();
    assert_eq!(bench.podman.remove_image(&name).await.unwrap(), RemovedImage::Removed);
    assert_eq!(bench.podman.remove_image(&name).await.unwrap(), RemovedImage::Absent);
    bench.assert_clean().await;
}
