//! Images in a bucket: built here, downloaded there.

use std::{fs, time::Duration};

use asu_test_support::{Fault, S3Server};
use asu_tests::{Answer, Deployment, request};
use reqwest::{Client, StatusCode, redirect::Policy};
use sha2::{Digest, Sha256};

/// A server with a bucket, and the deployment that keeps its images there.
async fn start(extra: &[(&str, &str)]) -> (S3Server, Deployment) {
    let server = S3Server::start().await;
    let mut settings = server.settings();
    let fixed = [("s3_lookup_ttl", "0s"), ("s3_check_interval", "0s"), ("s3_retries", "1"), ("retry_delay", "5s")];
    settings.extend(fixed.iter().chain(extra).map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
    let settings: Vec<_> = settings.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    let deployment = Deployment::start_with(&settings).await;
    (server, deployment)
}

/// All objects but the one with which the worker tries whether it can write.
fn builds_in(server: &S3Server) -> Vec<String> {
    server.objects().into_iter().filter(|name| name != ".probe").collect()
}

fn names_and_digests(done: &Answer) -> Vec<(String, String)> {
    let text = |image: &serde_json::Value, key: &str| image[key].as_str().unwrap().to_owned();
    done.body["images"].as_array().unwrap().iter().map(|image| (text(image, "name"), text(image, "sha256"))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_are_sent_to_the_bucket_and_get_what_was_built() {
    let (server, deployment) = start(&[]).await;
    let done = deployment.build(&request("24.10.4", &["tmux"])).await;
    assert_eq!((done.status.as_u16(), done.detail()), (200, "done"), "{done:?}");
    let bin_dir = done.body["bin_dir"].as_str().unwrap();
    for (name, sha256) in names_and_digests(&done) {
        let content = deployment.download(bin_dir, &name).await;
        assert_eq!(hex::encode(Sha256::digest(&content)), sha256, "{name}");
    }
    let (name, _) = names_and_digests(&done).remove(0);
    let url = format!("{}/store/{bin_dir}/{name}", deployment.build.url());
    let client = Client::builder().redirect(Policy::none()).build().unwrap();
    for method in ["GET", "HEAD"] {
        let answer = client.request(method.parse().unwrap(), &url).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::FOUND, "{method}");
        assert_eq!(answer.headers()["cache-control"], "private, no-store");
        assert_eq!(answer.headers()["access-control-allow-origin"], "*");
        let there = answer.headers()["location"].to_str().unwrap().to_owned();
        assert!(there.starts_with(&server.url()), "{there}");
        let image = client.request(method.parse().unwrap(), &there).send().await.unwrap();
        assert_eq!(
            (image.status(), &image.headers()["content-type"]),
            (StatusCode::OK, &"application/octet-stream".parse().unwrap())
        );
    }
    let missing = deployment.get(&format!("/store/{bin_dir}/missing.bin")).await;
    assert_eq!((missing.status.as_u16(), missing.detail()), (404, "could not find the requested file"));
    assert!(!deployment.store().exists(), "a directory for images that go elsewhere");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_whose_objects_are_gone_is_built_again() {
    let (server, deployment) = start(&[]).await;
    let body = request("24.10.4", &["tmux"]);
    let done = deployment.build(&body).await;
    let bin_dir = done.body["bin_dir"].as_str().unwrap();
    assert_eq!(deployment.submit(&body).await.body, done.body);
    fs::remove_dir_all(server.bucket().join(bin_dir)).unwrap();
    let asked = deployment.submit(&body).await;
    assert_eq!(asked.status, 202, "no link that leads nowhere: {asked:?}");
    let again = deployment.finished(&done.request_hash()).await;
    assert_eq!(again.status, 200, "{again:?}");
    assert_ne!(again.body["bin_dir"], done.body["bin_dir"]);
    let (name, _) = names_and_digests(&again).remove(0);
    assert!(!deployment.download(again.body["bin_dir"].as_str().unwrap(), &name).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_that_is_away_is_waited_for() {
    let (server, deployment) = start(&[]).await;
    let done = deployment.build(&request("24.10.4", &["tmux"])).await;
    let bin_dir = done.body["bin_dir"].as_str().unwrap();
    let (name, _) = names_and_digests(&done).remove(0);

    server.go_away().await;
    for path in [format!("/store/{bin_dir}/{name}"), format!("/api/v1/build/{}", done.request_hash())] {
        let away = deployment.get(&path).await;
        assert_eq!(away.status, 503, "{path}: {away:?}");
        assert!(away.headers.contains_key("retry-after"), "{path}");
    }
    let ready = deployment.get("/ready").await;
    assert_eq!((ready.status.as_u16(), ready.body["dependencies"]["store"]["status"].as_str()), (503, Some("failing")));
    server.come_back().await;
    assert_eq!(deployment.status(&done.request_hash()).await.body, done.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_that_cannot_be_uploaded_is_put_off_and_then_done() {
    let (server, deployment) = start(&[]).await;
    // The worker may have looked at the bucket before: it takes the build, and finds out when it is built.
    server.inject("PUT", "profiles.json", Fault::Status(503), 0, u64::MAX);
    let hash = deployment.submit(&request("24.10.4", &["tmux"])).await.request_hash();
    let deadline = tokio::time::Instant::now() + Duration::from_secs(150);
    while server.count("PUT", "profiles.json") < 2 {
        assert!(tokio::time::Instant::now() < deadline, "nothing is uploaded");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let queued = |answer: &Answer| answer.detail() == "queued" || answer.status != 202;
    let put_off = deployment.poll(&hash, queued).await;
    assert_eq!(put_off.status, 202, "trouble with the bucket is told as a failure: {put_off:?}");
    assert_eq!(builds_in(&server), Vec::<String>::new(), "what was uploaded is taken back");
    server.behave();
    let done = deployment.finished(&hash).await;
    assert_eq!((done.status.as_u16(), done.detail()), (200, "done"), "{done:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_dies_while_it_uploads_publishes_nothing() {
    let (server, mut deployment) = start(&[("lease", "3s"), ("redis_timeout", "1s")]).await;
    server.inject("PUT", ".asu-published.json", Fault::Hang, 0, 1);
    let hash = deployment.submit(&request("24.10.4", &["tmux"])).await.request_hash();
    let deadline = tokio::time::Instant::now() + Duration::from_secs(150);
    while server.count("PUT", ".asu-published.json") == 0 {
        assert!(tokio::time::Instant::now() < deadline, "nothing is uploaded");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    deployment.workers[0].kill();
    deployment.add_worker();
    let done = deployment.finished(&hash).await;
    assert_eq!((done.status.as_u16(), done.detail()), (200, "done"), "{done:?}");
    let published = server.objects().into_iter().filter(|name| name.ends_with(".asu-published.json"));
    let bin_dir = done.body["bin_dir"].as_str().unwrap();
    assert_eq!(published.collect::<Vec<_>>(), [format!("{bin_dir}/.asu-published.json")]);
    deployment.no_container_is_left().await;
}
