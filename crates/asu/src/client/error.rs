//! What can end a client command before it is done.

use std::{io, path::PathBuf, time::Duration};

use crate::{client::answer::Answer, exit::Exit, output::harmless};

/// Why a client command was not done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClientError {
    #[error("{0}")]
    Usage(String),
    #[error("declined, nothing was built")]
    Declined,
    #[error("cannot read {}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot write {}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("cannot start")]
    Runtime(#[source] io::Error),
    #[error("cannot make HTTP requests on this machine")]
    Http(#[source] reqwest::Error),
    #[error("no answer from {server}")]
    Unreachable { server: String, source: reqwest::Error },
    #[error("{server} gave an answer that makes no sense: {what}")]
    Garbled { server: String, what: String },
    #[error("{}", harmless(&.0.detail()))]
    Refused(Box<Answer>),
    #[error("not done within {limit:?}: {last}")]
    TimedOut { limit: Duration, last: String },
    #[error("the server names a file {0:?}, which is no name of an image")]
    FileName(String),
    #[error("the server gives no sha256 of {0}, so that it cannot be checked")]
    NoChecksum(String),
    #[error("{name} is damaged: its sha256 is {found}, it should be {expected}")]
    Checksum { name: String, found: String, expected: String },
    #[error("{name} is larger than it may be ({limit} bytes)")]
    TooLarge { name: String, limit: u64 },
    #[error("the download of {name} broke off")]
    BrokenOff { name: String, source: reqwest::Error },
    #[error("{0}")]
    NoImages(String),
    #[error("the server does not prepare requests: `asu build --no-prepare` does without")]
    NoPrepare,
    #[error("interrupted")]
    Interrupted,
}

impl ClientError {
    /// The exit code of a command that ended so.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Usage(_) | Self::Declined | Self::Read { .. } => Exit::Usage,
            Self::Http(_)
            | Self::Unreachable { .. }
            | Self::Garbled { .. }
            | Self::TimedOut { .. }
            | Self::BrokenOff { .. } => Exit::NoAnswer,
            Self::Refused(answer) if answer.is_passing() => Exit::NoAnswer,
            Self::Refused(_)
            | Self::Runtime(_)
            | Self::Write { .. }
            | Self::FileName(_)
            | Self::NoChecksum(_)
            | Self::Checksum { .. }
            | Self::TooLarge { .. }
            | Self::NoImages(_)
            | Self::NoPrepare => Exit::Failed,
            Self::Interrupted => Exit::Interrupted,
        }
    }
}
