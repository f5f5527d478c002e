//! Builds of a snapshot: the first one with `setup.sh`, the others without.

use std::time::Instant;

use asu_test_support::SnapshotUpstream;
use asu_tests::{Deployment, request};

use crate::figure::{figure, millis};

/// So many revisions are set up; each has an upstream and a deployment of its own.
const REVISIONS: usize = 5;

/// The two side by side, and the ratio.
pub(crate) async fn snapshots() {
    let (mut first, mut second) = (Vec::new(), Vec::new());
    for _ in 0..REVISIONS {
        let upstream = SnapshotUpstream::start().await;
        let [url, mirror] = upstream.settings();
        let deployment = Deployment::start_with(&[(url.0, &url.1), (mirror.0, &mirror.1)]).await;
        first.push(build(&deployment, "tmux").await);
        second.push(build(&deployment, "nano").await);
        let archive = SnapshotUpstream::archive("x86/64");
        assert_eq!(upstream.fake.hits(&archive), 1, "the second build ran setup.sh");
        deployment.no_container_is_left().await;
    }
    let ratios = first.iter().zip(&second).map(|(first, second)| 100.0 * second / first).collect();
    figure("first build of a snapshot, with setup.sh", "ms", first);
    figure("second build of it, without", "ms", second);
    figure("  second to first", "%", ratios);
}

async fn build(deployment: &Deployment, package: &str) -> f64 {
    let started = Instant::now();
    let answer = deployment.build(&request("SNAPSHOT", &[package])).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    millis(started.elapsed())
}
