//! Who may have how many builds, and when one is likely to start.

use std::{
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};

use reqwest::Client;
use serde_json::{Value, json};

use asu_tests::{Answer, Deployment, request};

/// A build of its own for each number.
fn numbered(number: usize) -> Value {
    let mut body = request("24.10.4", &["tmux"]);
    body["defaults"] = format!("# {number}").into();
    body
}

/// A client whose connections come from this address.
fn client_at(address: [u8; 4]) -> Client {
    let address = IpAddr::V4(Ipv4Addr::from(address));
    Client::builder().local_address(address).build().unwrap()
}

async fn submit(deployment: &Deployment, client: &Client, forwarded_for: Option<&str>, number: usize) -> Answer {
    let mut post = client.post(format!("{}/api/v1/build", deployment.build.url())).json(&numbered(number));
    if let Some(address) = forwarded_for {
        post = post.header("X-Forwarded-For", address);
    }
    Answer::read(post.send().await.unwrap()).await
}

fn assert_limited(answer: &Answer, limit: &str) -> u64 {
    assert_eq!(answer.status, 429, "{answer:?}");
    assert_eq!((&answer.body["status"], &answer.body["title"]), (&json!(429), &json!("Too Many Requests")));
    assert!(answer.detail().contains(limit), "{answer:?}");
    answer.header("retry-after").parse().unwrap()
}

async fn metric(deployment: &Deployment, outcome: &str) -> String {
    let url = format!("{}/metrics", deployment.build.url());
    let text = deployment.client.get(url).send().await.unwrap().text().await.unwrap();
    let name = format!("asu_build_requests_total{{outcome=\"{outcome}\"}} ");
    text.lines().find_map(|line| line.strip_prefix(&name)).unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_has_its_share_of_the_queue_and_no_more() {
    let deployment = Deployment::without_workers(&[("client_pending_jobs", "2"), ("max_pending_jobs", "3")]).await;
    let (one, two) = (client_at([127, 0, 0, 1]), client_at([127, 0, 0, 2]));
    let mut hashes = Vec::new();
    for number in [1, 2] {
        let queued = submit(&deployment, &one, None, number).await;
        assert_eq!(queued.status, 202, "{queued:?}");
        assert!(queued.body.get("eta_seconds").is_none(), "nobody can tell without a worker: {queued:?}");
        hashes.push(queued.request_hash());
    }
    let wait = assert_limited(&submit(&deployment, &one, None, 3).await, "client_pending_jobs = 2");
    assert!((5..=3600).contains(&wait), "{wait}");

    // Other instances of the service see the same.
    let twin = deployment.spawn("asu-build");
    let answer = one.post(format!("{}/api/v1/build", twin.url())).json(&numbered(3)).send().await.unwrap();
    assert_limited(&Answer::read(answer).await, "client_pending_jobs = 2");

    // Who asks for what is known is answered: by the hash as often as they like, and by the request.
    for hash in &hashes {
        for _ in 0..10 {
            assert_eq!(deployment.status(hash).await.status, 202);
        }
    }
    for (number, hash) in [1, 2].into_iter().zip(&hashes) {
        assert_eq!(submit(&deployment, &one, None, number).await.request_hash(), *hash);
    }

    // Another client is not affected, and takes the last place of the queue, which ends for everybody.
    assert_eq!(submit(&deployment, &two, None, 3).await.status, 202);
    let full = submit(&deployment, &two, None, 4).await;
    assert_eq!((full.status.as_u16(), &full.body["title"]), (529, &json!("Server overloaded")), "{full:?}");
    assert_eq!(full.header("retry-after"), "60");
    assert_limited(&submit(&deployment, &one, None, 4).await, "client_pending_jobs = 2");
    assert_eq!(metric(&deployment, "limited_pending").await, "2");
    assert_eq!(metric(&deployment, "full").await, "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn new_builds_are_counted_for_an_hour_and_by_client_behind_a_trusted_proxy() {
    let settings = [("client_builds_per_hour", "2"), ("trusted_proxies", r#"["127.0.0.2"]"#)];
    let deployment = Deployment::without_workers(&settings).await;
    let proxy = client_at([127, 0, 0, 2]);
    // One customer has a whole network of 64 bits.
    for (number, address) in [(1, "2001:db8:1:1::1"), (2, "2001:db8:1:1:ffff::2")] {
        assert_eq!(submit(&deployment, &proxy, Some(address), number).await.status, 202);
    }
    let limited = submit(&deployment, &proxy, Some("2001:db8:1:1::3"), 3).await;
    let wait = assert_limited(&limited, "client_builds_per_hour = 2");
    assert!((3000..=3600).contains(&wait), "{wait}");
    assert_eq!(submit(&deployment, &proxy, Some("2001:db8:1:1::3"), 1).await.status, 202, "a known build");
    assert_eq!(submit(&deployment, &proxy, Some("2001:db8:1:2::1"), 3).await.status, 202, "the neighbour");
    assert_eq!(submit(&deployment, &proxy, Some("192.0.2.1"), 4).await.status, 202);
    assert_eq!(metric(&deployment, "limited_hourly").await, "1");
    assert!(warnings(&deployment).is_empty(), "a trusted proxy is what it should be");

    // Whom a stranger claims to speak for changes nothing: it is one client, and the operator is told once.
    let stranger = client_at([127, 0, 0, 3]);
    for (number, address) in [(5, "198.51.100.1"), (6, "198.51.100.2")] {
        assert_eq!(submit(&deployment, &stranger, Some(address), number).await.status, 202);
    }
    assert_limited(&submit(&deployment, &stranger, Some("198.51.100.3"), 7).await, "client_builds_per_hour = 2");
    let warnings = warnings(&deployment);
    assert!(warnings.len() == 1 && warnings[0].contains("127.0.0.3"), "{warnings:?}");
}

fn warnings(deployment: &Deployment) -> Vec<String> {
    deployment.build.log().into_iter().filter(|line| line.contains("trusted_proxies")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn images_that_vanished_are_built_again_for_a_client_that_may_have_no_more() {
    let deployment = Deployment::start_with(&[("client_builds_per_hour", "1")]).await;
    let done = deployment.build(&numbered(1)).await;
    assert_eq!(done.status, 200, "{done:?}");
    assert_eq!(deployment.submit(&numbered(2)).await.status, 429);
    std::fs::remove_dir_all(deployment.store().join(done.body["bin_dir"].as_str().unwrap())).unwrap();
    let again = deployment.submit(&numbered(1)).await;
    assert_eq!(again.status, 202, "{again:?}");
    assert_eq!(deployment.finished(&again.request_hash()).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_first_build_those_that_wait_are_told_when_they_start() {
    let deployment = Deployment::start().await;
    let before = deployment.get("/api/v1/stats").await;
    assert!(before.body.get("mean_build_seconds").is_none(), "{before:?}");
    assert_eq!(deployment.build(&numbered(1)).await.status, 200);
    let after = deployment.get("/api/v1/stats").await;
    assert_eq!((&after.body["queue_length"], &after.body["slots"]), (&json!(0), &json!(1)), "{after:?}");
    let mean = after.body["mean_build_seconds"].as_f64().unwrap();
    assert!(mean > 0.0, "{mean}");

    let mut slow = request("24.10.4", &["fault-slow"]);
    slow["defaults"] = "# slow".into();
    let slow = deployment.submit(&slow).await.request_hash();
    deployment.poll(&slow, |answer| answer.body["detail"] == "started").await;
    let mut etas = Vec::new();
    let mut hashes = vec![slow];
    for number in 2..5 {
        let queued = deployment.submit(&numbered(number)).await;
        assert!(queued.body["queue_position"].is_u64(), "{queued:?}");
        etas.push(queued.body["eta_seconds"].as_u64().unwrap_or_else(|| panic!("no integer: {queued:?}")));
        hashes.push(queued.request_hash());
    }
    let longest = Duration::from_secs_f64(mean * 3.0).as_secs() + 1;
    assert!(etas.is_sorted() && etas[2] > 0 && etas[2] <= longest, "{etas:?} with {mean} s each");
    let polled = deployment.status(&hashes[3]).await;
    assert!(polled.body["eta_seconds"].is_u64(), "{polled:?}");
    for hash in &hashes {
        let done = deployment.finished(hash).await;
        assert!(done.status == 200 && done.body.get("eta_seconds").is_none(), "{done:?}");
    }
}
