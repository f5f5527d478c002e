//! Images: fetched from a real registry, looked up, made, removed.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::time::Duration;

use asu_sandbox::{ImageDigest, ImageReference, PullError, RemovedImage};
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
    let image = sandbox.commit(&name, &[]).await.unwrap();
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

#[tokio::test]
async fn images_are_found_by_what_is_written_on_them() {
    let bench = Bench::new().await;
    let name: ImageReference = format!("localhost/asu-sandbox-test:{}-labelled", bench.label).parse().unwrap();
    let sandbox = bench.start().await;
    let value = "https://example.org/a b?c=\"d\"";
    let image = sandbox.commit(&name, &[("asu.test", &bench.label), ("asu.test.value", value), (LABEL, "")]).await;
    let image = image.unwrap();
    let found = bench.podman.images(Some(("asu.test", &bench.label))).await.unwrap();
    let [found] = &*found else { panic!("{found:?}") };
    assert_eq!((&found.id, &*found.names), (&image, &[name.to_string()][..]));
    assert_eq!(
        (found.labels["asu.test.value"].as_str(), found.labels[LABEL].as_str()),
        ("https://example.org/a_b_c__d_", "")
    );
    assert!(found.size > 1 << 20 && found.containers == 0, "{found:?}");
    assert!(found.created.elapsed().unwrap() < Duration::from_secs(600), "{found:?}");
    assert!(bench.podman.images(None).await.unwrap().contains(found));

    // Whoever commits under the same name takes the name away; the image is found all the same.
    stdout(&sandbox, "echo more >/tmp/more").await;
    let second = sandbox.commit(&name, &[("asu.test", &bench.label)]).await.unwrap();
    sandbox.remove().await.unwrap();
    let mut found = bench.podman.images(Some(("asu.test", &bench.label))).await.unwrap();
    found.sort_by_key(|found| found.names.len());
    assert_eq!(found.iter().map(|found| &found.id).collect::<Vec<_>>(), [&image, &second]);
    assert!(found[0].names.is_empty());

    let spec = bench.podman.spec(image.clone(), &bench.label, Duration::from_secs(60)).label(LABEL, &bench.label);
    let sandbox = bench.podman.start(spec).await.unwrap();
    let found = bench.podman.images(Some(("asu.test", &bench.label))).await.unwrap();
    assert!(found.iter().any(|found| found.id == image && found.containers == 1), "{found:?}");
    assert_eq!(bench.podman.remove_image_by_id(&image).await.unwrap(), RemovedImage::InUse);
    sandbox.remove().await.unwrap();
    for id in [&image, &second] {
        assert_eq!(bench.podman.remove_image_by_id(id).await.unwrap(), RemovedImage::Removed);
        assert_eq!(bench.podman.remove_image_by_id(id).await.unwrap(), RemovedImage::Absent);
    }
    assert_eq!(bench.podman.images(Some(("asu.test", &bench.label))).await.unwrap(), []);
    bench.assert_clean().await;
}

#[tokio::test]
async fn an_image_of_a_registry_is_known_by_the_digest_that_the_registry_gives() {
    let bench = Bench::new().await;
    let name = reference("x86-64-v24.10.4");
    let pulled = bench.podman.pull(&name).await.unwrap();
    let ImageDigest::Registry(digest) = bench.podman.image_digest(&pulled, &name).await.unwrap() else {
        panic!("it came from a registry");
    };
    let inspect = ["image", "inspect", "--format", "{{.Digest}}", name.as_str()];
    let output = Surroundings::get().podman().args(inspect).output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap().trim(), digest);
    let elsewhere = "registry.example/imagebuilder:x86-64-v24.10.4".parse().unwrap();
    assert_eq!(bench.podman.image_digest(&pulled, &elsewhere).await.unwrap(), ImageDigest::Local(pulled));
}

#[tokio::test]
async fn an_image_that_was_made_here_is_known_by_its_content() {
    let bench = Bench::new().await;
    let name: ImageReference = format!("localhost/asu-sandbox-digest:{}", bench.label).parse().unwrap();
    let sandbox = bench.start().await;
    let image = sandbox.commit(&name, &[]).await.unwrap();
    sandbox.remove().await.unwrap();
    assert_eq!(bench.podman.image_digest(&image, &name).await.unwrap(), ImageDigest::Local(image.clone()));
    assert_eq!(bench.podman.remove_image(&name).await.unwrap(), RemovedImage::Removed);
    assert_eq!(bench.podman.image_digest(&image, &name).await.unwrap(), ImageDigest::Local(image));
    bench.assert_clean().await;
}
