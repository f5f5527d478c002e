//! How much memory the processes hold.

use std::fs;

use asu_tests::{Deployment, Process};

use crate::figure::figure;

/// Of each process, at this moment.
pub(crate) fn memory(when: &str, deployment: &Deployment) {
    let processes = [
        ("asu-prepare", &deployment.prepare),
        ("asu-build", &deployment.build),
        ("asu-worker", &deployment.workers[0]),
    ];
    for (name, process) in processes {
        figure(&format!("resident memory of {name}, {when}"), "MiB", vec![resident(process)]);
    }
}

/// The resident memory of a process in MiB.
pub(crate) fn resident(process: &Process) -> f64 {
    let status = fs::read_to_string(format!("/proc/{}/status", process.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches("kB").trim().parse::<f64>().unwrap() / 1024.0
}
