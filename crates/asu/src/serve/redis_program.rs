//! Which Redis there is on this machine, and how it is started.

use std::{
    fs::File,
    io,
    path::Path,
    process::{Command, Stdio},
};

use crate::serve::error::RedisError;

/// Names under which a Redis 7 or a Valkey is installed.
const PROGRAMS: [&str; 2] = ["redis-server", "valkey-server"];

/// Ends Redis when the thread that started it is gone, however it went.
const WITH_PARENT: [&str; 3] = ["setpriv", "--pdeathsig", "TERM"];

/// The words that start a Redis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RedisProgram {
    words: Vec<&'static str>,
    /// What it says about itself.
    pub(crate) version: String,
}

impl RedisProgram {
    /// Looks for one that can be run.
    ///
    /// # Errors
    /// There is none.
    pub(crate) fn find() -> Result<Self, RedisError> {
        for program in PROGRAMS {
            match version_of(&[program]) {
                Ok(version) => return Ok(Self { words: with_parent(program), version }),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(source) => return Err(RedisError::Program { program: program.to_owned(), source }),
            }
        }
        Err(RedisError::NoProgram)
    }

    /// A server of its own: on a socket in `directory` only, every change on the disk within a second, nothing evicted.
    pub(crate) fn command(&self, directory: &Path, socket: &Path, log: File) -> Command {
        let mut command = Command::new(self.words[0]);
        command.args(&self.words[1..]);
        for (key, value) in SETTINGS {
            command.args([key, value]);
        }
        // The process keeps these words as its title, by which a stale one is known.
        command.arg("--dir").arg(directory).arg("--unixsocket").arg(socket);
        command.stdin(Stdio::null()).stderr(Stdio::null()).stdout(log);
        command
    }
}

const SETTINGS: [(&str, &str); 11] = [
    ("--port", "0"),
    ("--unixsocketperm", "700"),
    ("--daemonize", "no"),
    ("--supervised", "no"),
    ("--set-proc-title", "no"),
    ("--appendonly", "yes"),
    ("--appendfsync", "everysec"),
    ("--save", ""),
    ("--maxmemory-policy", "noeviction"),
    ("--loglevel", "notice"),
    ("--always-show-logo", "no"),
];

/// Busybox has a setpriv without this option; then the next start replaces a Redis that was left behind.
fn with_parent(program: &'static str) -> Vec<&'static str> {
    let words = [&WITH_PARENT[..], &[program]].concat();
    if version_of(&words).is_ok() { words } else { vec![program] }
}

fn version_of(words: &[&str]) -> io::Result<String> {
    let output = Command::new(words[0]).args(&words[1..]).arg("--version").stdin(Stdio::null()).output()?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    } else {
        Err(io::Error::other(format!("{} --version: {}", words.join(" "), output.status)))
    }
}
