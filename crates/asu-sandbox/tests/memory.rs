//! Large files pass through without being held. One test alone in its process, because it measures the process.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::{fs, sync::Arc, sync::atomic::AtomicBool, sync::atomic::Ordering, time::Duration};

use asu_sandbox::{ArchiveLimits, Files, Owner};
use common::{Bench, stdout};
use tempfile::TempDir;
use tokio::{io::AsyncReadExt, time::interval};

const SIZE: u64 = 300 << 20;

/// The resident memory of this process in bytes.
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

/// The highest memory while something is done, measured every few milliseconds.
async fn growth<T>(work: impl Future<Output = T>) -> (T, u64) {
    let before = resident();
    let done = Arc::new(AtomicBool::new(false));
    let watch = tokio::spawn({
        let done = done.clone();
        async move {
            let (mut highest, mut ticks) = (0, interval(Duration::from_millis(5)));
            while !done.load(Ordering::Relaxed) {
                ticks.tick().await;
                highest = highest.max(resident());
            }
            highest
        }
    });
    let result = work.await;
    done.store(true, Ordering::Relaxed);
    (result, watch.await.unwrap().saturating_sub(before))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_hundred_megabytes_pass_through_in_both_directions() {
    let bench = Bench::new().await;
    let sandbox = bench.start().await;
    let files = Files::owned_by(Owner { uid: 1000, gid: 1000 }).directory("out", 0o755).unwrap();
    let files = files.reader("out/large", 0o644, SIZE, tokio::io::repeat(b'x').take(SIZE)).unwrap();
    let (result, grown) = growth(sandbox.put("/tmp", files)).await;
    result.unwrap();
    assert!(grown < 32 << 20, "grew by {grown} bytes on the way in");
    let directory = TempDir::new().unwrap();
    let limits = ArchiveLimits { bytes: SIZE, entries: 1 + 1, depth: 1 };
    let (result, grown) = growth(sandbox.get("/tmp/out", directory.path(), limits)).await;
    let files = result.unwrap();
    assert!(grown < 32 << 20, "grew by {grown} bytes on the way out");
    let sum = stdout(&sandbox, "sha256sum </tmp/out/large").await;
    assert_eq!((files[0].size, files[0].sha256.as_str()), (SIZE, sum.split(' ').next().unwrap()));
    let (printed, grown) = growth(async {
        let mut printed = 0;
        let mut output = |_: asu_sandbox::OutputStream, bytes: &[u8]| printed += bytes.len();
        let limits = asu_sandbox::CommandLimits { output: SIZE, ..common::LIMITS };
        sandbox.exec(&common::bash_within("head -c 60000000 /dev/zero", limits), &mut output).await.unwrap();
        printed
    })
    .await;
    assert_eq!(printed, 60_000_000);
    assert!(grown < 32 << 20, "grew by {grown} bytes while printing");
    drop(sandbox);
    bench.assert_clean().await;
}
