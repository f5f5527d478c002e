//! A private Redis that outlived its `asu serve`: found by its pid, known by its command line, and ended.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use tokio::time::{Instant, sleep};

/// How long a Redis may take to end; it writes what is not on the disk yet.
pub(crate) const ENDING: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(20);

/// Where the pid is noted.
pub(crate) fn pid_file(directory: &Path) -> PathBuf {
    directory.join("redis.pid")
}

/// Ends the Redis that an earlier process left on this directory, if there is one: two on the same data would ruin it.
pub(crate) async fn end_stale(directory: &Path) -> io::Result<()> {
    let Some(pid) = noted_pid(directory) else { return Ok(()) };
    for signal in [Signal::TERM, Signal::KILL] {
        if !is_ours(pid, directory) {
            return Ok(());
        }
        tracing::warn!(pid = pid.as_raw_nonzero().get(), "ending a redis-server that was left behind");
        kill_process(pid, signal)?;
        let deadline = Instant::now() + ENDING;
        while is_ours(pid, directory) && Instant::now() < deadline {
            sleep(PAUSE).await;
        }
    }
    if is_ours(pid, directory) {
        Err(io::Error::other("the redis-server that was left behind does not end"))
    } else {
        Ok(())
    }
}

fn noted_pid(directory: &Path) -> Option<Pid> {
    Pid::from_raw(fs::read_to_string(pid_file(directory)).ok()?.trim().parse().ok()?)
}

/// A pid is used again for other processes; ours names its directory. A zombie has no command line.
fn is_ours(pid: Pid, directory: &Path) -> bool {
    let command_line = fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero())).unwrap_or_default();
    let mut words = command_line.split(|byte| *byte == 0);
    words.by_ref().any(|word| word == b"--dir") && words.next() == Some(directory.as_os_str().as_encoded_bytes())
}
