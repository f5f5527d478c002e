//! What the server adds to a build, and how many it gets done.

use std::time::{Duration, Instant};

use asu_tests::{Deployment, request};
use serde_json::Value;

use crate::figure::{SAMPLES, figure, millis};

/// From sending a request to the first answer that says a worker has it.
pub(crate) async fn enqueue_to_start(deployment: &Deployment) {
    let mut samples = Vec::new();
    for sample in 0..SAMPLES {
        let started = Instant::now();
        let hash = deployment.submit(&distinct("start", sample)).await.request_hash();
        while deployment.status(&hash).await.body.get("queue_position").is_some() {}
        samples.push(millis(started.elapsed()));
        deployment.finished(&hash).await;
    }
    figure("enqueue to start (polled without a pause)", "ms", samples);
}

/// From sending a request to its finished answer, with what the ImageBuilder itself takes of it.
pub(crate) async fn overhead(deployment: &Deployment) {
    let mut samples = Vec::new();
    for sample in 0..SAMPLES {
        let started = Instant::now();
        let hash = deployment.submit(&distinct("overhead", sample)).await.request_hash();
        let mut answer = deployment.status(&hash).await;
        while answer.status == 202 {
            // Often enough not to count, and not so often that it takes the cores from the build.
            tokio::time::sleep(Duration::from_millis(5)).await;
            answer = deployment.status(&hash).await;
        }
        samples.push(millis(started.elapsed()));
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    figure("a build, enqueue to done (polled every 5 ms)", "ms", samples);
    let image = format!("{}:x86-64-v24.10.4", asu_test_support::Surroundings::get().base_container);
    let script = "cd /builder && s=$(date +%s%N) && make manifest PROFILE=generic PACKAGES=tmux STRIP_ABI=1 >/dev/null 2>&1 && \
                  make image PROFILE=generic PACKAGES=tmux BIN_DIR=/builder/x >/dev/null 2>&1; e=$(date +%s%N); echo $(((e-s)/1000))";
    let samples = (0..SAMPLES / 2).map(|_| {
        let mut command = asu_test_support::Surroundings::get().podman();
        let output = command.args(["run", "--rm", "--network", "none", &image, "bash", "-c", script]).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().parse::<f64>().expect("the ImageBuilder runs") / 1000.0
    });
    figure("  of which manifest and image, run by hand", "ms", samples.collect());
}

/// Builds per minute of two workers.
pub(crate) async fn throughput(deployment: &mut Deployment) {
    deployment.add_worker();
    let mut samples = Vec::new();
    for round in 0..3 {
        let started = Instant::now();
        let mut hashes = Vec::new();
        for sample in 0..SAMPLES {
            hashes.push(deployment.submit(&distinct(&format!("throughput{round}"), sample)).await.request_hash());
        }
        for hash in hashes {
            assert_eq!(deployment.finished(&hash).await.status, 200);
        }
        #[expect(clippy::cast_precision_loss, reason = "a small count")]
        samples.push(SAMPLES as f64 * 60.0 / started.elapsed().as_secs_f64());
    }
    figure("builds per minute, two workers", "1/min", samples);
}

/// A request of its own for every sample; the first-boot script tells them apart.
fn distinct(purpose: &str, sample: usize) -> Value {
    let mut body = request("24.10.4", &["tmux"]);
    body["defaults"] = format!("# {purpose} {sample}").into();
    body
}
