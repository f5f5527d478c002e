//! Why the private Redis cannot be used.

use std::{io, path::PathBuf};

/// The private Redis does not run, and without it nothing does.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RedisError {
    #[error(
        "there is neither redis-server nor valkey-server on this machine: install one (apt-get install redis-server), \
         or name a running one with redis_url"
    )]
    NoProgram,
    #[error("cannot run {program}")]
    Program { program: String, source: io::Error },
    #[error("cannot use {} for the data of Redis, see data_path", path.display())]
    Directory { path: PathBuf, source: io::Error },
    #[error("another asu serve uses {}: two servers on one machine need a data_path each", .0.display())]
    InUse(PathBuf),
    #[error("the path of the socket {} is longer than a socket's may be: set data_path to a shorter one", .0.display())]
    LongPath(PathBuf),
    #[error("redis-server ended at once: {0}")]
    Ended(String),
    #[error("redis-server does not answer on {}", .0.display())]
    Silent(PathBuf),
}
