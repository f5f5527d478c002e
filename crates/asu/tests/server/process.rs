//! Runs the real binary with settings by the environment.

use std::{path::Path, process::Stdio, time::Duration};

use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader},
    process::{Child, Command},
    time::timeout,
};

/// Nothing in these tests takes as long; what hangs fails here.
pub(crate) const LONGEST: Duration = Duration::from_secs(60);

/// A server that stopped, or did not start.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) log: String,
}

/// A running `asu serve`.
pub(crate) struct Server {
    child: Child,
    lines: BufReader<tokio::process::ChildStderr>,
    pub(crate) address: String,
}

/// The command with the path of whoever runs the tests and no other setting of theirs.
pub(crate) fn asu(words: &[&str], settings: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_asu"));
    command.args(words).env_clear().stdin(Stdio::null()).kill_on_drop(true);
    #[expect(clippy::disallowed_methods, reason = "the programs of this machine are found by its PATH")]
    let path = std::env::var_os("PATH").unwrap();
    // No asu.toml of whoever runs the tests.
    command.env("PATH", path).envs(settings.iter().copied()).current_dir("/");
    command
}

/// Runs it to its end.
pub(crate) async fn run(words: &[&str], settings: &[(&str, &str)]) -> (i32, String, String) {
    let output = timeout(LONGEST, asu(words, settings).output()).await.expect("it ends").unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

impl Server {
    /// Starts one and waits until it says where it listens.
    pub(crate) async fn start(public_path: &Path, settings: &[(&str, &str)]) -> Result<Self, Ended> {
        let fixed = [("LISTEN", "127.0.0.1:0"), ("PUBLIC_PATH", public_path.to_str().unwrap())];
        let mut child = asu(&["serve"], &[&fixed, settings].concat()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap());
        let mut log = String::new();
        loop {
            let begin = log.len();
            if timeout(LONGEST, lines.read_line(&mut log)).await.expect("it says something").unwrap() == 0 {
                return Err(Ended { code: child.wait().await.unwrap().code().unwrap(), log });
            }
            if let Some((_, address)) = log[begin..].trim_end().split_once("address=") {
                let address = address.to_owned();
                return Ok(Self { child, lines, address });
            }
        }
    }

    /// Waits until it answers on `path`.
    pub(crate) async fn wait_for(&self, path: &str) -> reqwest::Response {
        let url = format!("http://{}{path}", self.address);
        let answered = async {
            loop {
                match reqwest::get(&url).await {
                    Ok(response) => return response,
                    Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
                }
            }
        };
        timeout(LONGEST, answered).await.expect("the server answers")
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_raw(self.child.id().unwrap().cast_signed()).unwrap(), signal).unwrap();
    }

    /// Ends it as an operator does.
    pub(crate) async fn stop(self) -> Ended {
        self.signal(Signal::TERM);
        self.wait().await
    }

    /// Waits until it ends.
    pub(crate) async fn wait(mut self) -> Ended {
        let mut log = String::new();
        timeout(LONGEST, self.lines.read_to_string(&mut log)).await.expect("it ends").unwrap();
        Ended { code: self.child.wait().await.unwrap().code().unwrap(), log }
    }
}
