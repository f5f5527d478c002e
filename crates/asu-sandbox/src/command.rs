//! A command in a sandbox: what is run, what it may use, and how it can end.

use std::{collections::BTreeMap, time::Duration};

/// A program with its arguments. There is no shell: no text of a user becomes part of a program.
#[derive(Debug, Clone)]
pub struct Command {
    pub(crate) argv: Vec<String>,
    pub(crate) env: BTreeMap<String, String>,
    pub(crate) workdir: Option<String>,
    pub(crate) user: Option<String>,
    pub(crate) limits: CommandLimits,
}

/// What a command may use; at the first limit it reaches, its container is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommandLimits {
    /// How long it may run.
    pub time: Duration,
    /// How long it may print nothing.
    pub silence: Duration,
    /// How many bytes it may print, both streams together.
    pub output: u64,
}

impl Command {
    /// A program, found in the container's `PATH`, and its arguments.
    pub fn new<I: Into<String>>(program: &str, arguments: impl IntoIterator<Item = I>, limits: CommandLimits) -> Self {
        let argv = std::iter::once(program.to_owned()).chain(arguments.into_iter().map(Into::into)).collect();
        Self { argv, env: BTreeMap::new(), workdir: None, user: None, limits }
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn env(mut self, key: &str, value: &str) -> Self {
        self.env.insert(key.to_owned(), value.to_owned());
        self
    }

    /// Another working directory than the sandbox's.
    #[must_use]
    pub fn workdir(mut self, directory: &str) -> Self {
        self.workdir = Some(directory.to_owned());
        self
    }

    /// Another user than the sandbox's.
    #[must_use]
    pub fn user(mut self, user: &str) -> Self {
        self.user = Some(user.to_owned());
        self
    }
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// By itself; as in a shell the code is 127 if there is no such program or directory, and 128 + n after signal n.
    Exit {
        /// The exit code.
        code: i32,
    },
    /// By what it may not do, or by somebody else. Only after [`CommandFailure::OutOfMemory`] may the container live on.
    Failed(CommandFailure),
}

/// What the program did wrong, or what was done to it. Not the engine's fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CommandFailure {
    /// It ran too long.
    #[error("the command ran longer than {} s", limit.as_secs())]
    TimedOut {
        /// How long it could have run.
        limit: Duration,
    },
    /// It said nothing for too long.
    #[error("the command printed nothing for {} s", limit.as_secs())]
    NoOutput {
        /// How long it could have been silent.
        limit: Duration,
    },
    /// It printed too much.
    #[error("the command printed more than {limit} bytes")]
    TooMuchOutput {
        /// How much it could have printed.
        limit: u64,
    },
    /// It failed, and the kernel had killed a process of the container for want of memory.
    #[error("the command needed more memory than {limit} bytes")]
    OutOfMemory {
        /// The container's memory.
        limit: u64,
    },
    /// Its container was killed or removed by somebody else, or ended after its lifetime.
    #[error("the container of the command was killed")]
    Killed,
}
