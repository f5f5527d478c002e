//! Snapshots: set up once per revision, kept, shared, and never with anything of a request in them.

use asu_core::{BuildFailure, BuildRequest, RequestHash};
use asu_queue::BuildStatus;
use asu_test_support::{Behaviour, SnapshotUpstream, Surroundings};
use serde_json::{Value, json};

use crate::{
    bench::{Bench, RunningWorker, done, failure, request, until},
    podman_door::PodmanDoor,
};

const PROFILES: &str = "snapshots/targets/ath79/generic/profiles.json";

/// What the container fetches when it sets up.
fn archive() -> String {
    SnapshotUpstream::archive("ath79/generic")
}

/// With an upstream that is asked once, or `ttl`.
async fn bench(upstream: &SnapshotUpstream, ttl: &str, more: &[(&str, &str)]) -> Bench {
    let [url, mirror] = upstream.settings();
    let settings = [(url.0, &*url.1), (mirror.0, &*mirror.1), ("upstream_ttl", ttl)];
    Bench::with(&[&settings[..], more].concat()).await
}

fn snapshot(packages: &[&str], changes: Value) -> BuildRequest {
    let mut body = json!({"version": "SNAPSHOT", "packages": packages});
    body.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    request(body)
}

fn plain(packages: &[&str]) -> BuildRequest {
    snapshot(packages, json!({}))
}

async fn set_ups(worker: &RunningWorker) -> f64 {
    worker.metric("asu_worker_set_ups_total").await
}

async fn until_started(bench: &Bench, hash: &RequestHash) {
    until("the build is started", || async {
        let status = bench.queue.status(hash).await.unwrap();
        matches!(status, Some(BuildStatus::Started { .. })).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_snapshot_is_set_up_once_and_kept_without_anything_of_a_request() {
    let upstream = SnapshotUpstream::start().await;
    let bench = bench(&upstream, "1h", &[]).await;
    let worker = bench.worker().await;
    let first = snapshot(&["iwinfo"], json!({"defaults": "echo word-of-a-request >/etc/secret\n"}));
    let first_hash = bench.enqueue(&first).await;
    let result = done(bench.outcome(&first_hash).await);
    assert_eq!(result.metadata["version_code"], upstream.revision.as_str());
    assert!(bench.live_log(&first_hash).await.contains("$ bash setup.sh\n"));

    let second_hash = bench.enqueue(&plain(&["uhttpd"])).await;
    let result = done(bench.outcome(&second_hash).await);
    assert!(!result.build_cmd.iter().any(|word| word.starts_with("FILES=")), "{:?}", result.build_cmd);
    let log = bench.live_log(&second_hash).await;
    assert!(log.contains(&format!("the ImageBuilder of {} is set up already\n", upstream.revision)), "{log}");
    assert!(!log.contains("setup.sh"), "{log}");
    assert_eq!((upstream.fake.hits(&archive()), set_ups(&worker).await), (1, 1.0));

    // Another worker on this Podman finds it, and so does this one after it was started again.
    worker.stop().await;
    let other = bench.worker().await;
    done(bench.build(&plain(&["rpcd"])).await);
    assert_eq!((upstream.fake.hits(&archive()), set_ups(&other).await), (1, 0.0));
    bench.assert_clean(&[&first_hash, &second_hash]).await;
    other.stop().await;

    let [image] = &*SnapshotUpstream::images_of(&upstream.revision) else { panic!("one image is kept") };
    assert!(image.starts_with("localhost/asu/snapshot:SNAPSHOT-ath79-generic-"), "{image}");
    let script = "ls /builder/Makefile && ! ls /builder/asu-files && ! grep -r word-of-a-request /builder";
    let look = ["run", "--rm", "--network", "none", image, "bash", "-c", script];
    let output = Surroundings::get().podman().args(look).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let labels = Surroundings::get().podman().args(["image", "inspect", image]).output().unwrap();
    let labels = String::from_utf8(labels.stdout).unwrap();
    assert!(labels.contains("asu.image.revision") && !labels.contains(first_hash.as_str()), "{labels}");
}

#[tokio::test]
async fn a_new_revision_is_set_up_and_the_old_image_goes() {
    let mut upstream = SnapshotUpstream::start().await;
    let bench = bench(&upstream, "1s", &[]).await;
    let worker = bench.worker().await;
    let old = upstream.revision.clone();
    let result = done(bench.build(&plain(&["iwinfo"])).await);
    assert_eq!(result.metadata["version_code"], old.as_str());
    assert_eq!(SnapshotUpstream::images_of(&old).len(), 1);
    let new = upstream.publish_next();
    // The old one is used until upstream is asked again.
    let mut number = 0;
    let hash = loop {
        let hash = bench.enqueue(&snapshot(&["iwinfo"], json!({"defaults": format!("# {number}")}))).await;
        let result = done(bench.outcome(&hash).await);
        if result.metadata["version_code"] == new.as_str() {
            break hash;
        }
        number += 1;
        assert!(number < 60, "the new revision is not seen");
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    };
    assert!(bench.live_log(&hash).await.contains("$ bash setup.sh\n"));
    assert_eq!((upstream.fake.hits(&archive()), set_ups(&worker).await), (2, 2.0));
    assert_eq!(SnapshotUpstream::images_of(&new).len(), 1);
    until("the old image is gone", || async { SnapshotUpstream::images_of(&old).is_empty().then_some(()) }).await;
    worker.stop().await;
}

#[tokio::test]
async fn a_build_that_insists_on_a_revision_sets_up_anew_once_before_it_fails() {
    let mut upstream = SnapshotUpstream::start().await;
    let bench = bench(&upstream, "1h", &[]).await;
    let worker = bench.worker().await;
    let old = upstream.revision.clone();
    done(bench.build(&plain(&["iwinfo"])).await);
    let new = upstream.publish_next();
    let result = done(bench.build(&snapshot(&["iwinfo"], json!({"version_code": new}))).await);
    assert_eq!(result.metadata["version_code"], new.as_str());
    assert_eq!(upstream.fake.hits(&archive()), 2);
    // Upstream's old word is not a reason to go back, nor to do it all again.
    let result = done(bench.build(&plain(&["uhttpd"])).await);
    assert_eq!((result.metadata["version_code"].as_str(), upstream.fake.hits(&archive())), (Some(&*new), 2));

    for (requested, hits) in [("r9999999999-abc", 3), (&old, 3), ("r1-abc", 3)] {
        let failed = failure(bench.build(&snapshot(&["iwinfo"], json!({"version_code": requested}))).await);
        let BuildFailure::IncorrectVersion { built, requested: asked } = &failed else { panic!("{failed:?}") };
        assert_eq!((built.as_str(), asked.as_str()), (&*new, requested));
        assert_eq!(upstream.fake.hits(&archive()), hits, "{requested}");
    }
    worker.stop().await;
}

#[tokio::test]
async fn builds_that_want_the_same_snapshot_at_once_share_one_set_up() {
    let upstream = SnapshotUpstream::start().await;
    let bench = bench(&upstream, "1h", &[]).await;
    upstream.fake.set(&archive(), Behaviour::Hang);
    let worker = bench.worker_with(&[("concurrency", 3)]).await;
    let mut hashes = Vec::new();
    for package in ["iwinfo", "uhttpd", "rpcd"] {
        hashes.push(bench.enqueue(&plain(&[package])).await);
    }
    upstream.fake.wait_for_hits(&archive(), 1).await;
    for hash in &hashes {
        until_started(&bench, hash).await;
    }
    until("two of them wait", || async {
        let mut waiting = 0;
        for hash in &hashes {
            waiting += usize::from(bench.live_log(hash).await.contains("waiting for another build"));
        }
        (waiting == 2).then_some(())
    })
    .await;
    upstream.fake.behave();
    for hash in &hashes {
        done(bench.outcome(hash).await);
        let log = bench.live_log(hash).await;
        assert!(log.contains("$ bash setup.sh\n") && log.contains(&archive()), "{log}");
    }
    assert_eq!((upstream.fake.hits(&archive()), set_ups(&worker).await), (1, 1.0));
    assert_eq!(SnapshotUpstream::images_of(&upstream.revision).len(), 1);
    worker.stop().await;
    bench.assert_clean(&hashes.iter().collect::<Vec<_>>()).await;
}

#[tokio::test]
async fn a_set_up_that_fails_fails_for_all_that_waited() {
    let upstream = SnapshotUpstream::start().await;
    let bench = bench(&upstream, "1h", &[("retry_delay", "1h"), ("retry_delay_max", "1h")]).await;
    upstream.fake.set(&archive(), Behaviour::Hang);
    let worker = bench.worker_with(&[("concurrency", 2)]).await;
    let hashes = [bench.enqueue(&plain(&["iwinfo"])).await, bench.enqueue(&plain(&["uhttpd"])).await];
    upstream.fake.wait_for_hits(&archive(), 1).await;
    until("one of them waits", || async {
        let logs = [bench.live_log(&hashes[0]).await, bench.live_log(&hashes[1]).await];
        logs.iter().any(|log| log.contains("waiting for another build")).then_some(())
    })
    .await;
    upstream.fake.set(&archive(), Behaviour::Status(404));
    until("both are put off", || async { (bench.queue.counts().await.unwrap().delayed == 2).then_some(()) }).await;
    assert_eq!(set_ups(&worker).await, 1.0, "the other one did not try it again by itself");
    assert_eq!(SnapshotUpstream::images_of(&upstream.revision), [""; 0]);
    worker.stop().await;
    bench.assert_clean(&[&hashes[0], &hashes[1]]).await;
}

#[tokio::test]
async fn while_upstream_is_away_what_is_kept_is_used() {
    let upstream = SnapshotUpstream::start().await;
    let bench = bench(&upstream, "1h", &[]).await;
    let worker = bench.worker().await;
    done(bench.build(&plain(&["iwinfo"])).await);
    worker.stop().await;
    upstream.fake.set_everywhere(Behaviour::Status(503));
    let asked = upstream.fake.hits(PROFILES);
    let other = bench.worker().await;
    let result = done(bench.build(&plain(&["uhttpd"])).await);
    assert_eq!(result.metadata["version_code"], upstream.revision.as_str());
    assert!(upstream.fake.hits(PROFILES) > asked, "it was asked");
    assert_eq!((upstream.fake.hits(&archive()), set_ups(&other).await), (1, 0.0));
    other.stop().await;
}

#[tokio::test]
async fn an_imagebuilder_that_cannot_be_kept_is_built_with_all_the_same() {
    let upstream = SnapshotUpstream::start().await;
    let door = PodmanDoor::refusing("/commit");
    let bench = bench(&upstream, "1h", &[("podman_socket", door.socket().to_str().unwrap())]).await;
    let worker = bench.worker().await;
    for packages in [["iwinfo"], ["uhttpd"]] {
        done(bench.build(&plain(&packages)).await);
    }
    assert_eq!((upstream.fake.hits(&archive()), set_ups(&worker).await), (2, 2.0));
    assert_eq!(worker.metric("asu_worker_unkept_set_ups_total").await, 2.0);
    assert_eq!(SnapshotUpstream::images_of(&upstream.revision), [""; 0]);
    worker.stop().await;
}

#[tokio::test]
async fn a_worker_that_is_killed_while_it_sets_up_leaves_nothing() {
    let upstream = SnapshotUpstream::start().await;
    let bench = bench(&upstream, "1h", &[]).await;
    upstream.fake.set(&archive(), Behaviour::Hang);
    let mut first = bench.process("killed-in-set-up");
    let hash = bench.enqueue(&plain(&["iwinfo"])).await;
    upstream.fake.wait_for_hits(&archive(), 1).await;
    let containers = bench.containers(&hash).await;
    assert_eq!(containers.len(), 1);
    first.kill().unwrap();
    first.wait().unwrap();
    let second = bench.worker().await;
    upstream.fake.wait_for_hits(&archive(), 2).await;
    until("the first worker's container is gone", || async {
        (!bench.containers(&hash).await.contains(&containers[0])).then_some(())
    })
    .await;
    upstream.fake.behave();
    done(bench.outcome(&hash).await);
    assert_eq!(SnapshotUpstream::images_of(&upstream.revision).len(), 1);
    bench.assert_clean(&[&hash]).await;
    second.stop().await;
}

#[tokio::test]
async fn the_files_of_a_snapshot_lie_where_its_branch_says() {
    let upstream = SnapshotUpstream::start().await;
    let branches = r#"{"24.10": {"path": "stable/{version}"}}"#;
    let branches: Value = serde_json::from_str(branches).unwrap();
    let branches = toml::Value::try_from(branches).unwrap();
    let mut bench = bench(&upstream, "1h", &[]).await;
    bench.settings = bench.settings.clone().with("branches", branches);
    let worker = bench.worker().await;
    bench.enqueue(&snapshot(&[], json!({"version": "24.10-SNAPSHOT"}))).await;
    upstream.fake.wait_for_hits("stable/24.10-SNAPSHOT/targets/ath79/generic/sha256sums", 1).await;
    worker.stop().await;
}
