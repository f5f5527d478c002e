//! Keeps a redis-server running: a thread of its own that starts it, starts it again, and ends it.

use std::{fs, io, path::PathBuf, process::ExitStatus, thread, time::Duration};

use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    process::{Child, Command},
    runtime::Builder,
    sync::watch,
    time::{Instant, sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::serve::stale_redis::{ENDING, pid_file};

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// A server that ran for this long was well; its end is the first of a new row.
const STEADY: Duration = Duration::from_secs(60);

/// How often the server ended by itself, and how it did last.
pub(crate) type Ends = watch::Receiver<Option<String>>;

/// What runs a server: makes the command for each start.
pub(crate) struct Supervisor {
    pub(crate) directory: PathBuf,
    pub(crate) command: Box<dyn Fn() -> io::Result<std::process::Command> + Send>,
    pub(crate) stop: CancellationToken,
}

impl Supervisor {
    /// Starts the thread. The kernel ends the server with the thread that started it, so it must be one that lives as
    /// long as the process, which threads of a runtime need not.
    pub(crate) fn start(self) -> io::Result<(thread::JoinHandle<()>, Ends)> {
        let (ends, receiver) = watch::channel(None);
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let body = move || runtime.block_on(self.keep_running(&ends));
        Ok((thread::Builder::new().name("redis".to_owned()).spawn(body)?, receiver))
    }

    async fn keep_running(&self, ends: &watch::Sender<Option<String>>) {
        let mut pause = FIRST_PAUSE;
        while !self.stop.is_cancelled() {
            let begun = Instant::now();
            let Some(end) = self.run_once().await else { return };
            if begun.elapsed() > STEADY {
                pause = FIRST_PAUSE;
            }
            // One line when the trouble begins; /ready and the metrics tell how long it lasts.
            if pause == FIRST_PAUSE {
                tracing::error!(end, "the private redis-server ended, starting it again");
            }
            ends.send_replace(Some(end));
            tokio::select! { () = sleep(pause) => {}, () = self.stop.cancelled() => {} }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Nothing if it ended because it was told to.
    async fn run_once(&self) -> Option<String> {
        let mut child = match self.spawn() {
            Ok(child) => child,
            Err(error) => return Some(error.to_string()),
        };
        tokio::select! {
            status = child.wait() => Some(in_words(status)),
            () = self.stop.cancelled() => {
                end(&mut child).await;
                None
            }
        }
    }

    fn spawn(&self) -> io::Result<Child> {
        let mut command = (self.command)()?;
        // Ctrl-C is for us; Redis ends when the builds have been given back.
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let child = Command::from(command).kill_on_drop(true).spawn()?;
        if let Some(pid) = child.id() {
            fs::write(pid_file(&self.directory), format!("{pid}\n"))?;
        }
        Ok(child)
    }
}

async fn end(child: &mut Child) {
    if let Some(pid) = child.id().and_then(|id| Pid::from_raw(id.cast_signed())) {
        // It may have ended at this very moment; then waiting finds out.
        let _ = kill_process(pid, Signal::TERM);
    }
    match timeout(ENDING, child.wait()).await {
        Ok(_) => {}
        Err(_elapsed) => {
            tracing::warn!("redis-server does not end, killing it");
            let _ = child.kill().await;
        }
    }
}

fn in_words(status: io::Result<ExitStatus>) -> String {
    status.map_or_else(|error| error.to_string(), |status| status.to_string())
}
