//! What is stored follows what is remembered: a quota holds, and nothing is left on either side.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use asu_tests::{Deployment, request};
use serde_json::Value;

/// A build of its own for each number, all of about one size.
fn numbered(number: usize) -> Value {
    let mut body = request("24.10.4", &["tmux"]);
    body["defaults"] = format!("# build {number:04}").into();
    body
}

fn size(deployment: &Deployment, bin_dir: &str) -> u64 {
    let files = std::fs::read_dir(deployment.store().join(bin_dir)).unwrap();
    files.map(|file| file.unwrap().metadata().unwrap().len()).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_ten_builds_the_newest_that_fit_stay_and_nothing_is_left_of_the_others() {
    // One build tells how large they are.
    let measured = {
        let deployment = Deployment::start().await;
        let done = deployment.build(&numbered(0)).await;
        size(&deployment, done.body["bin_dir"].as_str().unwrap())
    };
    let quota = (measured * 3 + measured / 2).to_string();
    let deployment = Deployment::start_with(&[("store_max_size", &quota)]).await;
    let mut builds = Vec::new();
    for number in 1..=10 {
        let done = deployment.build(&numbered(number)).await;
        assert_eq!(done.status, 200, "{done:?}");
        builds.push((done.request_hash(), done.body["bin_dir"].as_str().unwrap().to_owned()));
    }
    let newest: BTreeSet<_> = builds[7..].iter().map(|(_, bin_dir)| bin_dir.clone()).collect();
    let deadline = Instant::now() + Duration::from_secs(90);
    while deployment.stored() != newest {
        assert!(Instant::now() < deadline, "{:#?} instead of {newest:#?}", deployment.stored());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    for (index, (hash, bin_dir)) in builds.iter().enumerate() {
        let answer = deployment.status(hash).await;
        assert_eq!(answer.status, if index < 7 { 404 } else { 200 }, "{index}: {answer:?}");
        if index >= 7 {
            let name = answer.body["images"][0]["name"].as_str().unwrap();
            assert!(!deployment.download(bin_dir, name).await.is_empty());
        }
    }
    let (code, report) = deployment.admin(&["check"]);
    assert_eq!((code, &report["stored"]), (0, &Value::from(3)), "{report:#}");
    let counted = || async {
        let metrics = deployment.client.get(format!("{}/metrics", deployment.workers[0].url())).send().await.unwrap();
        metrics.text().await.unwrap().contains("asu_worker_swept_total{reason=\"quota\"} 7\n")
    };
    while !counted().await {
        assert!(Instant::now() < deadline, "the worker does not count what it deletes");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }

    // Who asks for one of the others has it built anew.
    assert_eq!(deployment.build(&numbered(1)).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn images_of_an_expired_record_go_and_what_is_wrong_is_told() {
    let settings = [("build_defaults_ttl", "1s"), ("sweep_interval", "1s")];
    let deployment = Deployment::start_with(&settings).await;
    deployment.submit(&numbered(1)).await;
    let kept = deployment.build(&request("24.10.4", &["tmux"])).await;
    let kept = kept.body["bin_dir"].as_str().unwrap().to_owned();
    let deadline = Instant::now() + Duration::from_secs(90);
    while deployment.stored() != BTreeSet::from([kept.clone()]) {
        assert!(Instant::now() < deadline, "{:#?}", deployment.stored());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let orphan = format!("{}-0123456789ab", "0".repeat(64));
    std::fs::create_dir(deployment.store().join(&orphan)).unwrap();
    std::fs::write(deployment.store().join(&kept).join("more"), "x").unwrap();
    let (code, report) = deployment.admin(&["check"]);
    let kinds: BTreeSet<_> =
        report["disagreements"].as_array().unwrap().iter().map(|one| one["kind"].as_str().unwrap()).collect();
    assert_eq!((code, kinds), (1, BTreeSet::from(["orphan", "other_size"])), "{report:#}");
}
