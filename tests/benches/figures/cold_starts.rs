//! How long the processes take to start.

use std::{process::Command, time::Instant};

use asu_tests::Deployment;

use crate::figure::{SAMPLES, figure, millis};

/// From the start of a process to its first answer.
pub(crate) fn cold_starts(deployment: &Deployment) {
    for name in ["asu-prepare", "asu-build", "asu-worker"] {
        let samples = (0..SAMPLES).map(|_| {
            let started = Instant::now();
            let process = deployment.spawn(name);
            let status =
                Command::new("curl").args(["-sf", "-o", "/dev/null", &format!("{}/health", process.url())]).status();
            assert!(status.unwrap().success());
            millis(started.elapsed())
        });
        figure(&format!("cold start of {name} to its first answer"), "ms", samples.collect());
    }
}
