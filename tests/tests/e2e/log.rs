//! What a build prints, read while it runs.

use std::{net::SocketAddr, time::Duration};

use reqwest::{Method, RequestBuilder, Response};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, sleep},
};

use asu_tests::{Answer, Deployment, Event, Events, raw, request};

const STAGES: [&str; 5] = ["init", "container_setup", "validate_revision", "validate_manifest", "building_image"];

fn ask(deployment: &Deployment, method: Method, hash: &str, query: &str) -> RequestBuilder {
    deployment.client.request(method, format!("{}/api/v1/build/{hash}/log{query}", deployment.build.url()))
}

async fn get(deployment: &Deployment, hash: &str, query: &str) -> Response {
    ask(deployment, Method::GET, hash, query).send().await.unwrap()
}

async fn text(deployment: &Deployment, hash: &str) -> String {
    let response = get(deployment, hash, "").await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "text/plain; charset=utf-8");
    assert_eq!(response.headers()["x-content-type-options"], "nosniff");
    assert!(response.headers().contains_key("content-length"));
    response.text().await.unwrap()
}

async fn follow(deployment: &Deployment, hash: &str) -> Events {
    Events::of(get(deployment, hash, "?follow=1").await)
}

async fn eventually<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !holds().await {
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        sleep(Duration::from_millis(50)).await;
    }
}

async fn followers(deployment: &Deployment) -> String {
    let metrics = deployment.client.get(format!("{}/metrics", deployment.build.url())).send().await.unwrap();
    let text = metrics.text().await.unwrap();
    text.lines().find_map(|line| line.strip_prefix("asu_build_log_followers ")).unwrap_or("none").to_owned()
}

fn stages(events: &[Event]) -> Vec<String> {
    let stages = events.iter().filter(|event| event.name == "stage");
    stages.map(|event| event.json()["imagebuilder_status"].as_str().unwrap().to_owned()).collect()
}

fn lines(events: &[Event]) -> String {
    events.iter().filter(|event| event.name == "log").map(|event| format!("{}\n", event.data)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_is_followed_from_its_place_in_line_to_its_end() {
    let mut deployment = Deployment::without_workers(&[("log_heartbeat", "300ms")]).await;
    let hash = deployment.submit(&request("24.10.4", &["tmux", "fault-slow-30"])).await.request_hash();
    assert_eq!(text(&deployment, &hash).await, "", "a build in line has printed nothing");
    let mut stream = follow(&deployment, &hash).await;
    assert_eq!(
        (&stream.headers()["cache-control"], &stream.headers()["x-accel-buffering"]),
        (&"no-cache".parse().unwrap(), &"no".parse().unwrap())
    );
    let first = stream.next().await.unwrap();
    assert_eq!((first.name.as_str(), first.json()), ("queued", json!({"queue_position": 0})));
    assert_eq!(stream.next().await.unwrap().name, ":", "a stream without events shows that it lives");

    deployment.add_worker();
    let (mut events, mut plain) = (Vec::new(), Vec::new());
    while events.last().is_none_or(|event: &Event| !event.data.contains(": 10 of 30 s")) {
        let event = stream.next().await.unwrap();
        if event.data.contains("of 30 s") {
            assert_eq!(deployment.status(&hash).await.status, 202, "lines come while the build runs");
            plain.push(text(&deployment, &hash).await);
        }
        events.push(event);
    }
    assert!(plain.len() >= 3, "the lines come as they are printed: {events:#?}");
    assert!(plain.windows(2).all(|pair| pair[1].len() > pair[0].len() && pair[1].starts_with(&pair[0])), "{plain:#?}");
    events.extend(stream.until("done").await);
    assert_eq!(stream.next().await, None, "the server closes after the end");
    assert_eq!(stages(&events), STAGES);
    assert_eq!(events.last().unwrap().json(), json!({"status": 200, "detail": "done"}));
    let told = lines(&events);
    for line in ["$ make manifest PROFILE=generic ", "$ make image PROFILE=generic ", "fault-slow-30: 30 of 30 s\n"] {
        assert!(told.contains(line), "{told}");
    }

    let whole = text(&deployment, &hash).await;
    assert_eq!(whole.replace("== ", "\n== ").split("\n== ").count(), STAGES.len() + 1, "{whole}");
    let without_stages: String =
        whole.lines().filter(|line| !line.starts_with("== ")).map(|l| format!("{l}\n")).collect();
    assert_eq!(without_stages, told, "both tell the same");
    let mut again = follow(&deployment, &hash).await;
    let repeated = again.until("done").await;
    assert_eq!((stages(&repeated), lines(&repeated)), (stages(&events), told), "who comes late misses nothing");

    let head = ask(&deployment, Method::HEAD, &hash, "").send().await.unwrap();
    assert_eq!(
        (head.status().as_u16(), &head.headers()["content-length"]),
        (200, &whole.len().to_string().parse().unwrap())
    );
    let head = ask(&deployment, Method::HEAD, &hash, "?follow=1").send().await.unwrap();
    assert_eq!((head.status().as_u16(), &head.headers()["content-type"]), (200, &"text/event-stream".parse().unwrap()));
    eventually("places are free", async || followers(&deployment).await == "0").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_back_goes_on_where_it_was_also_elsewhere() {
    let deployment = Deployment::start_with(&[("live_log_ttl", "20s")]).await;
    let hash = deployment.submit(&request("24.10.4", &["fault-slow"])).await.request_hash();
    let mut stream = follow(&deployment, &hash).await;
    let mut events = Vec::new();
    while events.last().is_none_or(|event: &Event| !event.data.contains("2 of 5 s")) {
        events.push(stream.next().await.unwrap());
    }
    drop(stream);
    let other = deployment.spawn("asu-build");
    let resume = async |id: &str| {
        let url = format!("{}/api/v1/build/{hash}/log", other.url());
        let request = deployment.client.get(url).header("accept", "text/event-stream").header("last-event-id", id);
        request.send().await.unwrap()
    };
    let seen = events.last().unwrap().id.clone();
    let rest = Events::of(resume(&seen).await).until("done").await;
    events.extend(rest.iter().cloned());
    assert!(rest.iter().all(|event| event.name == "log" || event.name == "done"), "nothing twice: {rest:#?}");
    let whole = text(&deployment, &hash).await;
    let without_stages: String =
        whole.lines().filter(|line| !line.starts_with("== ")).map(|l| format!("{l}\n")).collect();
    assert_eq!(lines(&events), without_stages, "nothing twice and nothing missing");

    let end = &rest.last().unwrap().id;
    assert_eq!(resume(end).await.status(), 204, "who saw the end need not come back");
    for nonsense in ["x", "99999999999999999999-1", "end-0123456789ab", "-"] {
        let events = Events::of(resume(nonsense).await).until("done").await;
        assert!(!lines(&events).is_empty(), "{nonsense}");
    }

    // The live log expires; what the result holds is left.
    eventually("the live log expires", async || !text(&deployment, &hash).await.contains("== init")).await;
    let kept = text(&deployment, &hash).await;
    assert!(kept.contains("fault-slow: 5 of 5 s\n"), "{kept}");
    let late = follow(&deployment, &hash).await.until("done").await;
    assert_eq!(lines(&late), kept);
    let rest = Events::of(resume(&seen).await).until("done").await;
    assert_eq!(rest.len(), 1, "who saw it live does not hear it again: {rest:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_build_ends_with_its_detail() {
    let deployment = Deployment::start().await;
    for (package, detail, error, line) in [
        (
            "fault-fail",
            "Error: Error while building firmware. See stdout/stderr",
            "image_builder",
            "the end of the world",
        ),
        (
            "no-such-package",
            "Error: Impossible package selection: missing (no-such-package)",
            "impossible_packages",
            "$ make manifest",
        ),
    ] {
        let hash = deployment.submit(&request("24.10.4", &[package])).await.request_hash();
        let events = follow(&deployment, &hash).await.until("failed").await;
        let expected = json!({"status": 500, "detail": detail, "error": error});
        assert_eq!(events.last().unwrap().json(), expected);
        assert!(lines(&events).contains(line), "{events:#?}");
        assert!(text(&deployment, &hash).await.ends_with(&format!("{detail}\n")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_so_many_follow_and_who_leaves_makes_room() {
    let deployment = Deployment::without_workers(&[("max_log_followers", "2"), ("log_heartbeat", "1h")]).await;
    let hash = deployment.submit(&request("24.10.4", &["tmux"])).await.request_hash();
    let mut first = follow(&deployment, &hash).await;
    let mut second = follow(&deployment, &hash).await;
    for stream in [&mut first, &mut second] {
        assert_eq!(stream.next().await.unwrap().name, "queued");
    }
    let refused = Answer::read(get(&deployment, &hash, "?follow=yes").await).await;
    assert_eq!(refused.status, 503);
    assert_eq!(refused.detail(), "too many clients follow the logs of builds, the limit is 2");
    assert_eq!(refused.header("retry-after"), "30");
    assert_eq!(text(&deployment, &hash).await, "", "the text takes no place");
    drop(first);
    eventually("the place is free", async || followers(&deployment).await == "1").await;
    assert_eq!(follow(&deployment, &hash).await.next().await.unwrap().name, "queued");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_takes_nothing_loses_its_place() {
    let deployment = Deployment::start_with(&[
        ("log_write_timeout", "1s"),
        ("log_heartbeat", "1h"),
        ("max_live_log_size", "16MiB"),
        ("max_output_size", "16MiB"),
    ])
    .await;
    let hash = deployment.submit(&request("24.10.4", &["fault-output"])).await.request_hash();
    let mut stream = TcpStream::connect(deployment.build.address).await.unwrap();
    let request = format!("GET /api/v1/build/{hash}/log?follow=1 HTTP/1.1\r\nHost: x\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut first = [0; 16];
    stream.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 200 OK\r");
    let failed = deployment.finished(&hash).await;
    assert_eq!(failed.body["error"], "too_much_output");
    eventually("the place is free", async || followers(&deployment).await == "0").await;
    let log = text(&deployment, &hash).await;
    assert!(log.contains("the quick brown fox"), "{} bytes", log.len());
    drop(stream);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_build_has_no_log() {
    let deployment = Deployment::without_workers(&[]).await;
    let unknown = "0".repeat(64);
    for hash in [unknown.as_str(), "x", "%00", "..%2f..", "%ff", "{hash}", "%0d%0aX-Evil:%201", &"a".repeat(5000)] {
        for query in ["", "?follow=1"] {
            let answer = Answer::read(get(&deployment, hash, query).await).await;
            assert_eq!(
                (answer.status.as_u16(), answer.detail()),
                (404, "could not find provided request hash"),
                "{hash}"
            );
        }
    }
    let wrong = Answer::read(ask(&deployment, Method::POST, &unknown, "").send().await.unwrap()).await;
    assert_eq!((wrong.status.as_u16(), wrong.header("allow")), (405, "GET,HEAD"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_sees_a_killed_worker_and_the_next_attempt() {
    let mut deployment = Deployment::start_with(&[("lease", "6s")]).await;
    let hash = deployment.submit(&request("24.10.4", &["fault-slow-30"])).await.request_hash();
    let mut stream = follow(&deployment, &hash).await;
    let mut before = Vec::new();
    while before.last().is_none_or(|event: &Event| !event.data.contains(": 2 of 30 s")) {
        before.push(stream.next().await.unwrap());
    }
    deployment.workers[0].kill();
    deployment.add_worker();
    let until = stream.until("restarted").await;
    assert_eq!(stages(&until), [""; 0], "{until:#?}");
    let after = stream.until("done").await;
    assert_eq!(stages(&after), STAGES, "{after:#?}");
    assert!(lines(&after).contains(": 1 of 30 s") && lines(&after).contains("30 of 30 s"), "{after:#?}");
    let whole = text(&deployment, &hash).await;
    assert_eq!(whole.matches(": 1 of 30 s").count(), 1, "the log is that of the last attempt: {whole}");
    // Who was away meanwhile hears of it as well.
    let seen = &before.last().unwrap().id;
    let resumed = ask(&deployment, Method::GET, &hash, "?follow=1").header("last-event-id", seen).send().await.unwrap();
    let resumed = Events::of(resumed).until("done").await;
    assert_eq!((resumed[0].name.as_str(), lines(&resumed)), ("restarted", lines(&after)));
}

#[tokio::test(flavor = "multi_thread")]
async fn open_streams_do_not_hold_up_the_end_of_the_process() {
    let mut deployment = Deployment::without_workers(&[("shutdown_grace", "1h")]).await;
    let hash = deployment.submit(&request("24.10.4", &["tmux"])).await.request_hash();
    let mut stream = follow(&deployment, &hash).await;
    assert_eq!(stream.next().await.unwrap().name, "queued");
    // Waits for less than the grace.
    let status = deployment.build.terminate();
    assert!(status.success(), "{status}");
    assert_eq!(stream.next().await, None, "the stream ends in order");
    assert!(!deployment.build.log().iter().any(|line| line.contains("cut off")), "{:#?}", deployment.build.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn followers_wait_for_a_redis_that_is_away_and_others_are_told() {
    let mut deployment = Deployment::start_with(&[("log_heartbeat", "500ms")]).await;
    let hash = deployment.submit(&request("24.10.4", &["fault-slow-30"])).await.request_hash();
    let mut stream = follow(&deployment, &hash).await;
    while !stream.next().await.unwrap().data.contains(": 1 of 30 s") {}
    deployment.redis.stop().await;
    for query in ["", "?follow=1"] {
        let away = Answer::read(get(&deployment, &hash, query).await).await;
        assert_eq!(
            (away.status.as_u16(), away.detail()),
            (503, "the build queue is not available, please try again later")
        );
        assert!(away.headers.contains_key("retry-after"));
    }
    assert_eq!(stream.until(":").await.last().unwrap().name, ":", "the stream goes on");
    deployment.redis.start_again().await;
    let rest = stream.until("done").await;
    assert!(rest.iter().all(|event| event.name != "restarted" && event.name != "queued"), "{rest:#?}");
    assert!(lines(&rest).contains("30 of 30 s"), "{rest:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_that_vanishes_ends_its_stream() {
    let deployment = Deployment::without_workers(&[]).await;
    let hash = deployment.submit(&request("24.10.4", &["tmux"])).await.request_hash();
    let mut stream = follow(&deployment, &hash).await;
    assert_eq!(stream.next().await.unwrap().name, "queued");
    let redis = SocketAddr::from(([127, 0, 0, 1], deployment.redis.port()));
    assert!(raw(redis, b"FLUSHALL\r\nQUIT\r\n").await.starts_with("+OK"));
    let gone = stream.until("gone").await.pop().unwrap();
    assert_eq!(gone.json(), json!({"status": 404, "detail": "could not find provided request hash"}));
    assert_eq!(stream.next().await, None);
}
