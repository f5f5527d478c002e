//! What the worker needs while large images come out of a container.

use std::time::Duration;

use asu_tests::{Deployment, request};

use crate::{figure::figure, memory::resident};

/// The most and the idle memory of the worker over a build with 1 GiB of images.
pub(crate) async fn large_images(deployment: &Deployment) {
    let worker = &deployment.workers[0];
    // Whatever a first build needs once is there.
    assert_eq!(deployment.build(&request("24.10.4", &["tmux"])).await.status, 200);
    let idle = resident(worker);
    let hash = deployment.submit(&request("24.10.4", &["fault-huge-image"])).await.request_hash();
    let (mut most, mut answer) = (idle, deployment.status(&hash).await);
    while answer.status == 202 {
        tokio::time::sleep(Duration::from_millis(10)).await;
        most = most.max(resident(worker));
        answer = deployment.status(&hash).await;
    }
    assert_eq!(answer.status, 200, "{answer:?}");
    let directory = deployment.store().join(answer.body["bin_dir"].as_str().unwrap());
    let sizes = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len());
    let total: u64 = sizes.sum();
    assert!(total >= 1 << 30, "{total} bytes of images");
    figure("resident memory of asu-worker, idle", "MiB", vec![idle]);
    figure("  most while 1 GiB of images comes out", "MiB", vec![most]);
    figure("  above idle", "MiB", vec![most - idle]);
}
