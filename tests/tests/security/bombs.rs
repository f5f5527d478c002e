//! Builds that take all they can get: stopped at their limits, told so, and no harm to anybody else.

use std::time::Duration;

use asu_tests::{Deployment, request};

use crate::hostile::nothing_is_broken;

const SETTINGS: [(&str, &str); 14] = [
    ("retry_delay", "100ms"),
    ("retry_delay_max", "200ms"),
    ("concurrency", "2"),
    ("client_pending_jobs", "0"),
    ("job_timeout", "100s"),
    ("job_output_timeout", "20s"),
    ("container_memory", "160MiB"),
    ("container_pids", "200"),
    ("container_open_files", "200"),
    ("container_max_file_size", "64MiB"),
    ("max_images_size", "32MiB"),
    ("max_output_size", "1MiB"),
    ("max_log_size", "8KiB"),
    ("max_images", "200"),
];

/// What a package does, the kind of failure that it gets, and a word of the build's own about it.
const BOMBS: &[(&str, &str, &str)] = &[
    ("fault-forks", "image_builder", "fork failed after "),
    ("fault-memory", "out_of_memory", ""),
    ("fault-disk", "image_builder", "File too large"),
    ("fault-big-image", "image_builder", "File too large"),
    ("fault-output", "too_much_output", ""),
    ("fault-hang", "no_output", ""),
];

/// The same by hand, where it is not a package that does it.
const SCRIPTS: &[(&str, &str, &str)] = &[
    ("open files without end", "f = []\nwhile True: f.append(open('/dev/null'))", "Too many open files"),
    (
        "threads without end",
        "import threading, time\nwhile True: threading.Thread(target=time.sleep, args=(60,), daemon=True).start()",
        "can't start new thread",
    ),
    ("memory that is shared", "f = open('/dev/shm/x', 'wb')\nwhile True: f.write(bytes(1 << 20))", ""),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_build_that_takes_all_it_can_get_gets_what_it_may_have() {
    let deployment = Deployment::start_with(&SETTINGS).await;
    let mut hashes = Vec::new();
    for (package, ..) in BOMBS {
        let answer = deployment.submit(&request("24.10.4", &[package])).await;
        assert_eq!(answer.status, 202, "{answer:?}");
        hashes.push(answer.request_hash());
    }
    for (_, script, _) in SCRIPTS {
        hashes.push(deployment.submit(&crate::hostile::request(script)).await.request_hash());
    }
    // The API goes on while they run.
    let begun = deployment.client.get(format!("{}/health", deployment.build.url())).timeout(Duration::from_secs(60));
    assert_eq!(begun.send().await.unwrap().status(), 200);
    for ((package, kind, word), hash) in BOMBS.iter().zip(&hashes) {
        let end = deployment.finished(hash).await;
        assert_eq!((end.status.as_u16(), end.body["error"].as_str()), (500, Some(*kind)), "{package}: {end:?}");
        assert!(end.body["stderr"].as_str().unwrap().contains(word), "{package}: {end:?}");
        assert!(end.body["stdout"].as_str().unwrap().len() < 20_000, "{package}: its log is bounded");
    }
    for ((name, _, word), hash) in SCRIPTS.iter().zip(&hashes[BOMBS.len()..]) {
        let end = deployment.finished(hash).await;
        assert_eq!(end.status, 500, "{name}: {end:?}");
        assert!(end.body["stderr"].as_str().unwrap().contains(word), "{name}: {end:?}");
    }
    assert_eq!(std::fs::read_dir(deployment.store()).unwrap().count(), 0);
    nothing_is_broken(&deployment).await;
}
