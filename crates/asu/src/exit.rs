//! How this program ends: the exit codes that scripts rely on.

use std::process::ExitCode;

/// What the exit code says. Told in `--help` by [`Exit::HELP`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Everything that was asked for was done.
    Done,
    /// The build failed, the server refused the request, or an image is not what it should be.
    Failed,
    /// The command line cannot be understood, or the user said no.
    Usage,
    /// The server was not reached, not in time, or its answer makes no sense.
    NoAnswer,
    /// Ctrl-C or SIGTERM.
    Interrupted,
}

impl Exit {
    /// The exit codes, for the end of `--help`.
    pub(crate) const HELP: &str = "Exit codes:
    0  done
    1  the build failed, the server refused the request, or an image could not be stored or is damaged
    2  wrong usage, or you said no
    3  the server could not be reached, was not done in time, or gave no answer that makes sense
  130  interrupted";
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::NoAnswer => 3,
            Exit::Interrupted => 130,
        })
    }
}
