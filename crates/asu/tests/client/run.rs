//! Runs the real binary.

use std::{path::Path, process::Stdio, time::Duration};

use serde_json::Value;
use tokio::{process::Command, time::timeout};

use crate::fake_server::FakeServer;

/// Nothing in these tests takes as long; a hanging client fails here.
const LONGEST_RUN: Duration = Duration::from_secs(60);

/// How a run ended.
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    #[track_caller]
    pub(crate) fn ended_with(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    #[track_caller]
    pub(crate) fn says(self, words: &str) -> Self {
        assert!(self.stderr.contains(words), "no {words:?} in stderr:\n{}", self.stderr);
        self
    }

    #[track_caller]
    pub(crate) fn prints(self, words: &str) -> Self {
        assert!(self.stdout.contains(words), "no {words:?} in stdout:\n{}", self.stdout);
        self
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error} in stdout:\n{}", self.stdout))
    }
}

/// The command, without the environment of whoever runs the tests.
pub(crate) fn asu(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_asu"));
    command.args(words).env_clear().env("TERM", "xterm").stdin(Stdio::null()).kill_on_drop(true);
    command
}

/// Runs it to its end.
pub(crate) async fn run(words: &[&str]) -> Run {
    let output = timeout(LONGEST_RUN, asu(words).output()).await.expect("the client ends").unwrap();
    Run {
        code: output.status.code().expect("the client is not killed"),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Options that name a device.
pub(crate) const DEVICE: [&str; 8] =
    ["--version", "24.10.4", "--target", "x86/64", "--profile", "generic", "--packages", "auc tmux"];

/// `asu build` of the device with this server, asking fast.
pub(crate) fn build_words<'a>(server: &'a FakeServer, directory: &'a Path, more: &[&'a str]) -> Vec<&'a str> {
    let fixed = ["--server", &server.url, "--output", directory.to_str().unwrap(), "--poll-interval", "10ms"];
    [&["build"], &DEVICE[..], &fixed, more].concat()
}

/// Runs [`build_words`].
pub(crate) async fn build(server: &FakeServer, directory: &Path, more: &[&str]) -> Run {
    run(&build_words(server, directory, more)).await
}
