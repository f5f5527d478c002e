//! Processes die; builds do not.

use std::time::Duration;

use serde_json::json;

use asu_tests::{Deployment, request};

async fn start_of_build(deployment: &Deployment, packages: &[&str]) -> String {
    let hash = deployment.submit(&request("24.10.4", packages)).await.request_hash();
    let building = |answer: &asu_tests::Answer| answer.body["imagebuilder_status"] == "building_image";
    deployment.poll(&hash, |answer| building(answer) || answer.status != 202).await;
    assert_eq!(deployment.containers().len(), 1);
    hash
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_worker_finishes_the_build_of_a_killed_one() {
    let mut deployment = Deployment::start_with(&[("lease", "6s")]).await;
    let hash = start_of_build(&deployment, &["tmux", "fault-slow-30"]).await;
    deployment.workers[0].kill();
    let interrupted = deployment.status(&hash).await;
    assert_eq!(interrupted.status, 202, "{interrupted:?}");
    deployment.add_worker();
    let done = deployment.finished(&hash).await;
    assert_eq!((done.status.as_u16(), done.detail()), (200, "done"), "{done:?}");
    let (bin_dir, image) = (done.body["bin_dir"].as_str().unwrap(), done.body["images"][0]["name"].as_str().unwrap());
    assert!(!deployment.download(bin_dir, image).await.is_empty());
    deployment.no_container_is_left().await;
    assert_eq!(deployment.stored().len(), 1, "one build, one directory");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_asked_to_end_gives_its_build_back() {
    let mut deployment =
        Deployment::start_with(&[("shutdown_grace", "16s"), ("lease", "1h"), ("report_timeout", "1h")]).await;
    let hash = start_of_build(&deployment, &["tmux", "fault-slow-30"]).await;
    let status = deployment.workers[0].terminate();
    assert!(status.success(), "{status}");
    let queued = deployment.status(&hash).await;
    assert_eq!(
        (queued.status.as_u16(), queued.detail()),
        (202, "queued"),
        "given back, not left to its lease: {queued:?}"
    );
    deployment.no_container_is_left().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn builds_survive_a_restart_of_the_api_and_of_redis() {
    let mut deployment = Deployment::start().await;
    let done = deployment.build(&request("24.10.4", &["tmux"])).await;
    assert_eq!(done.status, 200);
    deployment.no_container_is_left().await;
    let hash = start_of_build(&deployment, &["nano", "fault-slow"]).await;
    assert!(deployment.build.terminate().success());
    deployment.restart_build();
    deployment.redis.stop().await;
    let away = deployment.status(&hash).await;
    assert_eq!(away.status, 503);
    assert!(away.headers.contains_key("retry-after"));
    let ready = deployment.get("/ready").await;
    assert_eq!((ready.status.as_u16(), &ready.body["dependencies"]["redis"]["status"]), (503, &json!("failing")));
    deployment.redis.start_again().await;
    let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
    while deployment.status(&hash).await.status == 503 {
        assert!(tokio::time::Instant::now() < deadline, "the API finds Redis again by itself");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(deployment.finished(&hash).await.status, 200);
    let again = deployment.submit(&request("24.10.4", &["tmux"])).await;
    assert_eq!(again.body, done.body, "the finished build is still known");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_whose_files_are_gone_is_built_again() {
    let deployment = Deployment::start().await;
    let body = request("24.10.4", &["tmux"]);
    let done = deployment.build(&body).await;
    let (store, aside) = (deployment.store(), deployment.store().with_extension("aside"));
    std::fs::rename(&store, &aside).unwrap();
    let away = deployment.status(&done.request_hash()).await;
    assert_eq!(away.status, 503, "a store that is not mounted says nothing about its images: {away:?}");
    std::fs::rename(&aside, &store).unwrap();
    assert_eq!(deployment.status(&done.request_hash()).await.body, done.body);

    std::fs::remove_dir_all(store.join(done.body["bin_dir"].as_str().unwrap())).unwrap();
    let asked = deployment.submit(&body).await;
    assert_eq!(asked.status, 202, "no link that leads nowhere: {asked:?}");
    let rebuilt = deployment.finished(&done.request_hash()).await;
    assert_eq!(rebuilt.status, 200);
    assert_ne!(rebuilt.body["bin_dir"], done.body["bin_dir"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_polls_is_not_told_that_the_queue_is_full() {
    let mut deployment = Deployment::start_with(&[("max_pending_jobs", "1")]).await;
    let done = deployment.build(&request("24.10.4", &["tmux"])).await;
    assert!(deployment.workers[0].terminate().success());
    assert_eq!(deployment.submit(&request("24.10.4", &["nano"])).await.status, 202);
    std::fs::remove_dir_all(deployment.store().join(done.body["bin_dir"].as_str().unwrap())).unwrap();
    let polled = deployment.status(&done.request_hash()).await;
    assert_eq!(polled.status, 404, "gone with its images, and no room to build it again: {polled:?}");
    assert_eq!(deployment.submit(&request("24.10.4", &["tmux"])).await.status, 529);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_read_of_upstream_is_served_while_it_is_away() {
    let deployment = Deployment::without_workers(&[("upstream_ttl", "1s")]).await;
    let known = request("24.10.4", &["tmux"]);
    assert_eq!(deployment.prepare(&known).await.status, 200);
    deployment.upstream.go_away().await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(deployment.prepare(&known).await.status, 200, "stale is better than nothing");
    let mut unread = known.clone();
    unread["target"] = "ath79/generic".into();
    unread["profile"] = "8dev_carambola2".into();
    let answer = deployment.prepare(&unread).await;
    assert_eq!(answer.status, 503, "{answer:?}");
    assert!(answer.headers.contains_key("retry-after"));
    deployment.upstream.come_back().await;
    let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
    while deployment.prepare(&unread).await.status != 200 {
        assert!(tokio::time::Instant::now() < deadline, "prepare recovers by itself");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
