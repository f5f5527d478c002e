//! An operator steps in.

use std::time::{Duration, Instant};

use asu_tests::{Answer, Deployment, request};
use serde_json::{Value, json};

async fn building(deployment: &Deployment, packages: &[&str]) -> String {
    let hash = deployment.submit(&request("24.10.4", packages)).await.request_hash();
    let at_images = |answer: &Answer| answer.body["imagebuilder_status"] == "building_image" || answer.status != 202;
    let answer = deployment.poll(&hash, at_images).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    hash
}

fn result(deployment: &Deployment, words: &[&str]) -> (i32, String) {
    let (code, document) = deployment.admin(words);
    (code, document["result"].as_str().unwrap_or_else(|| panic!("{document}")).to_owned())
}

async fn until<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let deadline = Instant::now() + Duration::from_secs(90);
    while !holds().await {
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_build_ends_with_its_container_and_can_be_retried() {
    let deployment = Deployment::start().await;
    let hash = building(&deployment, &["fault-hang"]).await;
    assert_eq!(deployment.containers().len(), 1);
    assert_eq!(result(&deployment, &["cancel", &hash]), (0, "cancelled".to_owned()));
    let failed = deployment.status(&hash).await;
    assert_eq!((failed.status.as_u16(), &failed.body["error"]), (500, &json!("cancelled")), "{failed:?}");
    assert_eq!(failed.detail(), "Error: The build was cancelled by an operator of this server");
    assert_eq!(failed.header("x-imagebuilder-status"), "failed");
    // Long before any limit of the build would end it.
    deployment.no_container_is_left().await;
    assert!(deployment.stored().is_empty());
    assert_eq!(
        deployment.submit(&request("24.10.4", &["fault-hang"])).await.status,
        500,
        "it is remembered for a while"
    );

    assert_eq!(result(&deployment, &["retry", &hash]), (0, "again".to_owned()));
    deployment.poll(&hash, |answer| answer.body["imagebuilder_status"] == "building_image").await;
    assert_eq!(result(&deployment, &["cancel", &hash]), (0, "cancelled".to_owned()));
    assert_eq!(result(&deployment, &["forget", &hash]), (0, "forgotten".to_owned()));
    assert_eq!(deployment.status(&hash).await.status, 404);
    deployment.no_container_is_left().await;
    // The worker goes on.
    assert_eq!(deployment.build(&request("24.10.4", &["tmux"])).await.status, 200);
    assert_eq!(deployment.admin(&["check"]).0, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drained_worker_finishes_what_it_has_and_says_so() {
    let deployment = Deployment::start().await;
    let running = building(&deployment, &["fault-slow"]).await;
    let name = format!("{}-0", deployment.name);
    assert_eq!(result(&deployment, &["drain", &name]), (0, "drained".to_owned()));
    let waiting = deployment.submit(&request("24.10.4", &["tmux"])).await.request_hash();
    assert_eq!(deployment.finished(&running).await.status, 200);
    let ready = || async {
        let response = deployment.client.get(format!("{}/ready", deployment.workers[0].url())).send().await.unwrap();
        (response.status().as_u16(), response.json::<Value>().await.unwrap())
    };
    until("the worker says that it is drained", || async { ready().await.0 == 503 }).await;
    assert_eq!(ready().await.1["dependencies"]["drained"]["status"], "failing");
    let metrics = deployment.client.get(format!("{}/metrics", deployment.workers[0].url())).send().await.unwrap();
    assert!(metrics.text().await.unwrap().contains("asu_worker_paused{reason=\"drained\"} 1"));
    assert_eq!(deployment.admin(&["queue", "list"]).1["workers"][0]["drained"], true);
    let queued = deployment.status(&waiting).await;
    assert_eq!((queued.status.as_u16(), &queued.body["detail"]), (202, &json!("queued")), "{queued:?}");
    assert_eq!(result(&deployment, &["undrain", &name]), (0, "undrained".to_owned()));
    assert_eq!(deployment.finished(&waiting).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_result_goes_with_its_images_and_is_built_anew() {
    let deployment = Deployment::start().await;
    let body = request("24.10.4", &["tmux"]);
    let done = deployment.build(&body).await;
    assert_eq!(result(&deployment, &["forget", &done.request_hash()]), (0, "forgotten".to_owned()));
    assert_eq!(deployment.status(&done.request_hash()).await.status, 404);
    assert!(deployment.stored().is_empty());
    let again = deployment.build(&body).await;
    assert_eq!(again.status, 200);
    assert_ne!(again.body["bin_dir"], done.body["bin_dir"]);
    assert_eq!(deployment.admin(&["check"]).0, 0);
}
