//! What operators ask of every process.

use std::time::Instant;

use asu_tests::{Answer, Deployment, request};

#[tokio::test(flavor = "multi_thread")]
async fn every_process_tells_its_health_its_readiness_and_its_metrics() {
    let deployment = Deployment::start().await;
    assert_eq!(deployment.prepare(&request("24.10.4", &[])).await.status, 200);
    assert_eq!(deployment.build(&request("24.10.4", &["tmux"])).await.status, 200);
    for (process, name, dependencies, metric) in [
        (&deployment.prepare, "asu-prepare", &["upstream"][..], "asu_prepare_requests_total{outcome=\"prepared\"} 1"),
        (
            &deployment.build,
            "asu-build",
            &["redis", "store", "upstream"],
            "asu_build_requests_total{outcome=\"new\"} 1",
        ),
        (&deployment.workers[0], "asu-worker", &["redis", "podman"], "asu_worker_builds_total"),
    ] {
        let get = async |path: &str| deployment.client.get(format!("{}{path}", process.url())).send().await.unwrap();
        let health = Answer::read(get("/health").await).await;
        assert_eq!((health.status.as_u16(), &health.body["service"]), (200, &name.into()));
        let ready = Answer::read(get("/ready").await).await;
        assert_eq!(ready.status, 200, "{ready:?}");
        for dependency in dependencies {
            assert_eq!(ready.body["dependencies"][dependency]["status"], "ok", "{name}: {ready:?}");
        }
        let metrics = get("/metrics").await.text().await.unwrap();
        assert!(metrics.contains(metric), "{name}: {metrics}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_paths_and_wrong_methods_are_errors_of_the_same_shape() {
    let deployment = Deployment::without_workers(&[]).await;
    for process in [&deployment.prepare, &deployment.build] {
        let missing = deployment.client.get(format!("{}/nonesuch", process.url())).send().await.unwrap();
        assert_eq!(Answer::read(missing).await.status, 404);
        let wrong = deployment.client.delete(format!("{}/api/v1/build/prepare", process.url())).send().await.unwrap();
        assert_eq!(Answer::read(wrong).await.status, 405);
        let options = deployment.client.request(reqwest::Method::OPTIONS, format!("{}/x/y", process.url()));
        let options = options.send().await.unwrap();
        assert_eq!(
            (options.status().as_u16(), &options.headers()["access-control-allow-origin"]),
            (204, &"*".parse().unwrap())
        );
    }
    let wrong = deployment.client.put(format!("{}/api/v1/build", deployment.build.url())).send().await.unwrap();
    let wrong = Answer::read(wrong).await;
    assert_eq!((wrong.status.as_u16(), wrong.header("allow")), (405, "POST"));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_process_starts_without_its_dependencies_and_ends_when_asked() {
    let nowhere = [("redis_url", "redis://127.0.0.1:1"), ("podman_socket", "/nonexistent.sock")];
    let mut deployment = Deployment::start_with(&nowhere).await;
    let unready = deployment.get("/ready").await;
    assert_eq!(unready.status, 503, "{unready:?}");
    let started = Instant::now();
    let refused = deployment.submit(&request("24.10.4", &[])).await;
    assert_eq!(refused.status, 503, "{refused:?} after {:?}", started.elapsed());
    let worker = format!("{}/ready", deployment.workers[0].url());
    let worker = Answer::read(deployment.client.get(worker).send().await.unwrap()).await;
    assert_eq!(worker.status, 503);
    for dependency in ["redis", "podman"] {
        assert_eq!(worker.body["dependencies"][dependency]["status"], "failing", "{worker:?}");
    }
    assert!(!worker.body.to_string().contains("127.0.0.1:1"), "{worker:?}");
    for process in [&mut deployment.prepare, &mut deployment.build, &mut deployment.workers[0]] {
        let status = process.terminate();
        assert!(status.success(), "{status}: {:#?}", process.log());
    }
}
