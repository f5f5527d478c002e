//! The registry is away: clients wait, and hear of nothing else.

use asu_test_support::{DoorState, PodmanService, RegistryDoor, Surroundings};
use asu_tests::{Answer, Deployment, request};

/// Sees that the build waits or runs until so many more connections to the registry were made in vain.
async fn waits(deployment: &Deployment, request_hash: &str, door: &RegistryDoor, more_visits: u64) {
    let enough = door.visits() + more_visits;
    deployment
        .poll(request_hash, |answer| {
            is_patient(answer);
            door.visits() >= enough
        })
        .await;
}

fn is_patient(answer: &Answer) {
    assert_eq!(answer.status, 202, "{answer:?}");
    assert!(["queued", "started"].contains(&answer.detail()), "{answer:?}");
    assert!(answer.body.get("error").is_none(), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_waits_until_the_registry_is_back() {
    let door = RegistryDoor::new(DoorState::Closed).await;
    let podman = PodmanService::with_registry(&door.registry()).await;
    let base_container = door.base_container();
    let deployment = Deployment::start_with(&[
        ("podman_socket", podman.socket().to_str().unwrap()),
        ("base_container", &base_container),
        ("retry_delay", "200ms"),
        ("retry_delay_max", "1s"),
    ])
    .await;
    let body = request("25.12.0", &["tmux"]);
    let hash = deployment.submit(&body).await.request_hash();
    waits(&deployment, &hash, &door, 6).await;
    door.set(DoorState::Status(503));
    waits(&deployment, &hash, &door, 6).await;
    assert_eq!(deployment.submit(&body).await.status, 202, "asking again changes nothing");
    door.set(DoorState::Open);
    let done = deployment.finished(&hash).await;
    assert_eq!((done.status.as_u16(), done.detail()), (200, "done"), "{done:?}");
    let name = done.body["images"][0]["name"].as_str().unwrap();
    assert!(!deployment.download(done.body["bin_dir"].as_str().unwrap(), name).await.is_empty());
    deployment.no_container_is_left().await;
    // Nobody else knows the image by this name.
    let image = format!("{base_container}:x86-64-v25.12.0");
    assert!(Surroundings::get().podman().args(["untag", &image, &image]).output().unwrap().status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_registry_is_away_builds_are_made_with_images_that_are_here() {
    let door = RegistryDoor::new(DoorState::Open).await;
    let podman = PodmanService::with_registry(&door.registry()).await;
    let base_container = door.base_container();
    // An image is asked for anew each time.
    let deployment = Deployment::start_with(&[
        ("podman_socket", podman.socket().to_str().unwrap()),
        ("base_container", &base_container),
        ("image_pull_interval", "1ms"),
    ])
    .await;
    assert_eq!(deployment.build(&request("24.10.4", &["tmux"])).await.status, 200);
    for (state, package) in [(DoorState::Closed, "nano"), (DoorState::Status(503), "htop")] {
        door.set(state);
        let before = door.visits();
        let done = deployment.build(&request("24.10.4", &[package])).await;
        assert_eq!(done.status, 200, "{done:?}");
        assert!(door.visits() > before, "it was asked for");
    }
    deployment.no_container_is_left().await;
    let image = format!("{base_container}:x86-64-v24.10.4");
    assert!(Surroundings::get().podman().args(["untag", &image, &image]).output().unwrap().status.success());
}
