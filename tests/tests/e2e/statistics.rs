//! The statistics, counted by real builds.

use asu_tests::{Answer, Deployment, request};
use serde_json::{Value, json};

/// The last number of each line of a chart, by the line's name.
fn newest(chart: &Answer) -> Vec<(&str, u64)> {
    let lines = chart.body["datasets"].as_array().unwrap().iter();
    lines.map(|line| (line["label"].as_str().unwrap(), last(&line["data"]).as_u64().unwrap())).collect()
}

fn last(list: &Value) -> &Value {
    list.as_array().unwrap().last().unwrap()
}

/// All numbers of a line of a chart.
fn total(chart: &Answer, label: &str) -> u64 {
    let line = chart.body["datasets"].as_array().unwrap().iter().find(|line| line["label"] == label).unwrap();
    line["data"].as_array().unwrap().iter().map(|count| count.as_u64().unwrap()).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_a_cache_hit_and_a_failure_are_counted_and_shown() {
    let mut deployment = Deployment::start_with(&[("server_stats", "true")]).await;
    assert_eq!(deployment.get("/api/v1/stats/summary").await.body, json!({"queue_length": 0, "builds_24h": 0}));
    let mut body = request("24.10.4", &["tmux", "-ppp"]);
    body["client"] = "owut/2025.1".into();
    assert_eq!(deployment.build(&body).await.status, 200);
    assert_eq!(deployment.submit(&body).await.status, 200);
    let mut broken = request("25.12.0", &["tmux", "no-such-package"]);
    broken["defaults"] = "echo a-secret".into();
    assert_eq!(deployment.build(&broken).await.status, 500);
    assert_eq!(deployment.submit(&json!({"version": "1.0", "target": "a/b", "profile": "c"})).await.status, 400);
    // Nothing of it is in a process.
    deployment.restart_build();

    assert_eq!(deployment.get("/api/v1/stats/summary").await.body, json!({"queue_length": 0, "builds_24h": 1}));
    let days = deployment.get("/api/v1/builds-per-day?1732373738123").await;
    assert_eq!(days.status, 200);
    assert_eq!([total(&days, "Requests"), total(&days, "Cache-Hits"), total(&days, "Failures")], [3, 1, 1], "{days:?}");
    let colors: Vec<_> = days.body["datasets"].as_array().unwrap().iter().map(|line| &line["color"]).collect();
    assert_eq!(colors, ["green", "orange", "red"]);
    let labels = days.body["labels"].as_array().unwrap();
    let first = &days.body["datasets"][0]["data"];
    assert_eq!((labels.len(), first.as_array().unwrap().len()), (30, 30));
    assert!(labels.iter().all(|label| label.as_str().unwrap().len() == "2026-01-31Z".len()), "{labels:?}");
    assert!(labels.is_sorted_by_key(|label| label.as_str().unwrap().to_owned()), "{labels:?}");

    let branches = deployment.get("/api/v1/builds-by-version").await;
    assert_eq!(newest(&branches), [("24.10", 1)]);
    assert_eq!(branches.body["labels"].as_array().unwrap().len(), 26);
    let versions = deployment.get("/api/v1/builds-by-version?branch=24.10").await;
    assert_eq!(newest(&versions), [("24.10.4", 1)]);
    assert_eq!(deployment.get("/api/v1/builds-by-version?branch=25.12").await.body["datasets"], json!([]));

    let top = deployment.get("/api/v1/top-packages").await;
    assert_eq!(top.body, json!({"packages": [{"name": "tmux", "count": 1}], "branch": null, "days": 30}));
    let top = deployment.get("/api/v1/top-packages?branch=25.12&n=5").await;
    assert_eq!(top.body, json!({"packages": [], "branch": "25.12", "days": 30}), "only of builds that were done");

    let url = format!("{}/api/v1/build-errors", deployment.build.url());
    let errors = deployment.client.get(url).send().await.unwrap();
    assert_eq!(errors.headers()["content-type"], "text/plain; charset=utf-8");
    let errors = errors.text().await.unwrap();
    let lines: Vec<_> = errors.lines().collect();
    let [head, line] = lines[..] else { panic!("{errors}") };
    assert_eq!(head, "time\tversion\ttarget\tprofile\terror\tdetail");
    let (time, rest) = line.split_once('\t').unwrap();
    assert_eq!(time.len(), "2026-01-31T23:59:59Z".len());
    let expected =
        "25.12.0\tx86/64\tgeneric\timpossible_packages\tError: Impossible package selection: missing (no-such-package)";
    assert_eq!(rest, expected);
    assert!(!errors.contains("secret"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_that_cannot_be_answered_is_refused_with_its_key_and_value() {
    let deployment = Deployment::without_workers(&[("server_stats", "true")]).await;
    for (path, detail) in [
        ("/api/v1/top-packages?n=101", "n: expected a number from 1 to 100, not \"101\""),
        ("/api/v1/build-errors?n=501", "n: expected a number from 1 to 500, not \"501\""),
        ("/api/v1/build-errors?n=x", "n: expected a number from 1 to 500, not \"x\""),
    ] {
        let refused = deployment.get(path).await;
        assert_eq!((refused.status.as_u16(), refused.detail()), (422, detail));
    }
    for path in ["/api/v1/top-packages?branch=1.0", "/api/v1/builds-by-version?branch=1.0"] {
        let refused = deployment.get(path).await;
        assert_eq!(refused.status, 422);
        assert!(refused.detail().starts_with("branch: expected one of SNAPSHOT, 25.12, "), "{refused:?}");
        assert!(refused.detail().ends_with(", not \"1.0\""), "{refused:?}");
    }
    assert_eq!(deployment.get("/api/v1/top-packages?branch=&n=100&1732373738123").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn statistics_that_are_switched_off_say_so() {
    let deployment = Deployment::without_workers(&[]).await;
    for path in ["builds-per-day", "builds-by-version", "top-packages", "build-errors"] {
        let off = deployment.get(&format!("/api/v1/{path}")).await;
        let detail = "statistics are switched off on this server (server_stats)";
        assert_eq!((off.status.as_u16(), off.detail()), (404, detail), "{path}");
    }
    assert_eq!(deployment.get("/api/v1/stats/summary").await.body, json!({"queue_length": 0, "builds_24h": null}));
    assert_eq!(deployment.get("/api/v1/stats").await.body["queue_length"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn statistics_are_unavailable_while_redis_is_away() {
    let deployment =
        Deployment::without_workers(&[("server_stats", "true"), ("redis_url", "redis://127.0.0.1:1")]).await;
    for path in ["stats", "stats/summary", "builds-per-day", "builds-by-version", "top-packages", "build-errors"] {
        let away = deployment.get(&format!("/api/v1/{path}")).await;
        assert_eq!(away.status, 503, "{path}");
        assert!(away.headers.contains_key("retry-after"), "{path}");
    }
}
