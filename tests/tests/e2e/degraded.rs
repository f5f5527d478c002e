//! What is left when something is away: the documented answer, its name in `/ready`, one line in the log, and recovery
//! without a human. Redis and upstream have cases of their own in `recovery`.

use std::{collections::BTreeMap, time::Duration};

use asu_test_support::PodmanService;
use asu_tests::{Deployment, Process, request};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

const PATIENCE: Duration = Duration::from_secs(120);

/// `/ready` of a process: its status, and what it says of one dependency.
async fn ready(deployment: &Deployment, process: &Process, dependency: &str) -> (u16, String) {
    // Operators alone can ask a worker; unlike clients they are told paths.
    let answer = deployment.client.get(format!("{}/ready", process.url())).send().await.unwrap();
    let status = answer.status().as_u16();
    let body: Value = answer.json().await.unwrap();
    (status, body["dependencies"][dependency]["status"].as_str().unwrap_or_default().to_owned())
}

/// Waits for what `/ready` says and tells how long that took.
async fn becomes(deployment: &Deployment, process: &Process, dependency: &str, wanted: (u16, &str)) -> Duration {
    let begun = Instant::now();
    loop {
        let (status, condition) = ready(deployment, process, dependency).await;
        if (status, condition.as_str()) == wanted {
            return begun.elapsed();
        }
        assert!(begun.elapsed() < PATIENCE, "{dependency} is {status} {condition}, not {wanted:?}");
        sleep(Duration::from_millis(50)).await;
    }
}

/// Warnings and errors, by how often each was said.
fn complaints(process: &Process) -> BTreeMap<String, usize> {
    let lines = process.log();
    let lines = lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let bad = lines.filter(|line| line["level"] == "WARN" || line["level"] == "ERROR");
    bad.fold(BTreeMap::new(), |mut counts, line| {
        *counts.entry(line["message"].as_str().unwrap_or_default().to_owned()).or_default() += 1;
        counts
    })
}

#[expect(clippy::print_stdout, reason = "a figure for whoever runs it")]
fn tell(what: &str, recovered: Duration) {
    println!("{what}: recovered after {} ms", recovered.as_millis());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_redis_everything_about_builds_is_503_and_the_rest_goes_on() {
    let mut deployment = Deployment::start_with(&[("redis_timeout", "1s")]).await;
    becomes(&deployment, &deployment.workers[0], "podman", (200, "ok")).await;
    let body = request("24.10.4", &["tmux"]);
    let done = deployment.build(&body).await;
    deployment.redis.stop().await;
    for away in [deployment.submit(&body).await, deployment.status(&done.request_hash()).await] {
        assert_eq!(away.status, 503, "{away:?}");
        assert!(away.headers.contains_key("retry-after"), "{away:?}");
    }
    assert_eq!(ready(&deployment, &deployment.build, "redis").await, (503, "failing".to_owned()));
    assert_eq!(deployment.prepare(&body).await.status, 200, "prepare does not know Redis");
    assert_eq!(deployment.get("/json/v1/overview.json").await.status, 200);
    // Long enough for whatever would complain each second to do so.
    sleep(Duration::from_secs(4)).await;
    let said = complaints(&deployment.workers[0]);
    assert!(said.values().all(|count| *count <= 1), "once, not each second: {said:?}");
    assert!(!said.is_empty(), "a worker says what it waits for");
    let begun = Instant::now();
    deployment.redis.start_again().await;
    becomes(&deployment, &deployment.build, "redis", (200, "ok")).await;
    let other = deployment.build(&request("24.10.4", &["nano"])).await;
    assert_eq!(other.status, 200, "the worker is back too: {other:?}");
    tell("Redis", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_upstream_answers_are_stale_and_readiness_says_so() {
    let deployment = Deployment::without_workers(&[("upstream_ttl", "1s"), ("upstream_timeout", "2s")]).await;
    let body = request("24.10.4", &["tmux"]);
    assert_eq!(deployment.prepare(&body).await.status, 200);
    assert_eq!(deployment.submit(&body).await.status, 202);
    deployment.upstream.go_away().await;
    for process in [&deployment.prepare, &deployment.build] {
        becomes(&deployment, process, "upstream", (200, "degraded")).await;
    }
    assert_eq!(deployment.prepare(&body).await.status, 200, "stale is better than nothing");
    assert_eq!(deployment.submit(&request("24.10.4", &["nano"])).await.status, 202);
    let begun = Instant::now();
    deployment.upstream.come_back().await;
    for process in [&deployment.prepare, &deployment.build] {
        becomes(&deployment, process, "upstream", (200, "ok")).await;
    }
    tell("upstream", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_podman_builds_wait_and_the_worker_says_so_once() {
    let mut podman = PodmanService::start().await;
    let socket = podman.socket();
    let deployment =
        Deployment::start_with(&[("podman_socket", socket.to_str().unwrap()), ("retry_delay", "1s")]).await;
    let worker = &deployment.workers[0];
    becomes(&deployment, worker, "podman", (200, "ok")).await;
    podman.kill();
    let hash = deployment.submit(&request("24.10.4", &["tmux"])).await.request_hash();
    becomes(&deployment, worker, "podman", (503, "failing")).await;
    assert_eq!(ready(&deployment, &deployment.build, "redis").await.0, 200, "the API takes requests all the same");
    sleep(Duration::from_secs(3)).await;
    assert_eq!(deployment.status(&hash).await.status, 202, "it waits, it does not fail");
    let said = complaints(worker);
    assert_eq!(said.get("taking no builds"), Some(&1), "once, not at each look: {said:?}");
    let begun = Instant::now();
    podman.restart().await;
    becomes(&deployment, worker, "podman", (200, "ok")).await;
    assert_eq!(deployment.finished(&hash).await.status, 200);
    tell("Podman", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_store_a_worker_takes_nothing_and_the_api_gives_no_dead_links() {
    let deployment = Deployment::start().await;
    let done = deployment.build(&request("24.10.4", &["tmux"])).await;
    let (store, aside) = (deployment.store(), deployment.store().with_extension("aside"));
    std::fs::rename(&store, &aside).unwrap();
    let away = deployment.status(&done.request_hash()).await;
    assert_eq!((away.status.as_u16(), away.headers.contains_key("retry-after")), (503, true), "{away:?}");
    becomes(&deployment, &deployment.workers[0], "store", (503, "failing")).await;
    becomes(&deployment, &deployment.build, "store", (503, "failing")).await;
    let waiting = deployment.submit(&request("24.10.4", &["nano"])).await;
    assert_eq!(waiting.status, 202, "{waiting:?}");
    let said = complaints(&deployment.workers[0]);
    assert_eq!(said.get("taking no builds"), Some(&1), "{said:?}");
    let begun = Instant::now();
    std::fs::rename(&aside, &store).unwrap();
    becomes(&deployment, &deployment.workers[0], "store", (200, "ok")).await;
    assert_eq!(deployment.finished(&waiting.request_hash()).await.status, 200);
    assert_eq!(deployment.status(&done.request_hash()).await.body, done.body);
    tell("the store", begun.elapsed());
}

/// A build that ends whatever builds it is tried `max_attempts` times and no more; nobody else notices.
#[tokio::test(flavor = "multi_thread")]
async fn a_poisonous_build_is_given_up_and_does_not_take_the_queue_with_it() {
    let settings = [("lease", "3s"), ("redis_timeout", "1s"), ("max_attempts", "2")];
    let mut deployment = Deployment::without_workers(&settings).await;
    let poison = deployment.submit(&request("24.10.4", &["tmux", "fault-slow-30"])).await.request_hash();
    let other = deployment.submit(&request("24.10.4", &["nano"])).await.request_hash();
    for attempt in 0..2 {
        deployment.add_worker();
        begins(&deployment.workers[attempt], &poison).await;
        deployment.workers[attempt].kill();
    }
    deployment.add_worker();
    let given_up = deployment.finished(&poison).await;
    assert_eq!((given_up.status.as_u16(), &given_up.body["error"]), (500, &json!("gave_up")), "{given_up:?}");
    assert_eq!(deployment.finished(&other).await.status, 200, "the next in line is built");
    deployment.no_container_is_left().await;
    assert_eq!(deployment.submit(&request("24.10.4", &["htop"])).await.status, 202, "and the server goes on");
}

/// Waits until this worker has that build.
async fn begins(worker: &Process, hash: &str) {
    let deadline = Instant::now() + PATIENCE;
    while !worker.log().iter().any(|line| line.contains("build started") && line.contains(hash)) {
        assert!(Instant::now() < deadline, "{:#?}", worker.log());
        sleep(Duration::from_millis(20)).await;
    }
}

/// While servers are replaced one after the other, an API may be asked about a build that a later one took.
#[tokio::test(flavor = "multi_thread")]
async fn a_build_of_a_later_version_is_nothing_that_failed() {
    let deployment = Deployment::without_workers(&[]).await;
    let hash = deployment.submit(&request("24.10.4", &["tmux"])).await.request_hash();
    let record = format!("{{asu}}:b:{hash}");
    let fields = ["HSET", &record, "state", "started", "token", "1", "started_at", "1", "payload", r#"{"format":2}"#];
    let mut redis = std::process::Command::new("redis-cli");
    let output = redis.arg("-u").arg(deployment.redis.url()).args(fields).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let answer = deployment.status(&hash).await;
    assert_eq!((answer.status.as_u16(), answer.headers.contains_key("retry-after")), (503, true), "{answer:?}");
}
