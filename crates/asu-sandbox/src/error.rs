//! What can be wrong with the engine, told apart by what the caller can do about it.

use std::time::Duration;

use containers_api::conn;
use podman_api::Error as EngineError;

/// The engine, or our own machine, is broken: never the fault of the program in the container.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// Nobody listens on the socket, or the connection broke.
    #[error("cannot {action}: Podman cannot be reached")]
    Unreachable {
        /// What was to be done.
        action: &'static str,
        /// Why it cannot be reached.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Podman accepted the call and said nothing.
    #[error("cannot {action}: Podman did not answer within {} ms", limit.as_millis())]
    NoAnswer {
        /// What was to be done.
        action: &'static str,
        /// How long was waited.
        limit: Duration,
    },
    /// Podman answered that it cannot.
    #[error("cannot {action}: Podman refused")]
    Refused {
        /// What was to be done.
        action: &'static str,
        /// Podman's words.
        source: Refusal,
    },
    /// Podman's answer is not what its API describes.
    #[error("cannot {action}: Podman's answer cannot be understood")]
    Garbled {
        /// What was to be done.
        action: &'static str,
        /// What is wrong with it.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The output of a command ended although the command goes on: Podman was stopped or restarted.
    #[error("the output of a command in container {container} was lost")]
    OutputLost {
        /// The container's name.
        container: String,
    },
    /// Podman could not start a command, for want of processes or memory for example.
    #[error("cannot start a command in container {container}")]
    NotStarted {
        /// The container's name.
        container: String,
        /// Podman's words.
        source: Refusal,
    },
    /// The container does not run any more, and not because of the command at hand.
    #[error("container {container} does not run any more")]
    ContainerGone {
        /// The container's name.
        container: String,
    },
    /// The image of a container was removed after it had been looked up.
    #[error("there is no image {image}")]
    NoSuchImage {
        /// What was asked for.
        image: String,
    },
    /// Something that was to be put into a container cannot be read.
    #[error("cannot {action}: what is to be put there cannot be read")]
    Input {
        /// What was to be done.
        action: &'static str,
        /// Why it cannot be read.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Podman is somewhere where it cannot be reached through a unix socket.
    #[error("Podman at {host} is not supported, only unix sockets are")]
    UnsupportedHost {
        /// What the settings or `CONTAINER_HOST` say.
        host: String,
    },
}

/// Podman's own words.
#[derive(Debug, thiserror::Error)]
#[error("{message} (HTTP {code})")]
pub struct Refusal {
    /// The HTTP status.
    pub code: u16,
    /// The message, without Podman's repetitions.
    pub message: String,
}

impl SandboxError {
    pub(crate) fn from_engine(action: &'static str, error: EngineError) -> Self {
        if let EngineError::Fault { code, message } = error {
            let source = Refusal { code: code.as_u16(), message: without_repetition(&message).to_owned() };
            return Self::Refused { action, source };
        }
        if let EngineError::Error(conn::Error::Hyper(source)) = &error
            && source.is_user()
        {
            return Self::Input { action, source: error.into() };
        }
        let broken =
            matches!(error, EngineError::Error(conn::Error::Hyper(_) | conn::Error::IO(_)) | EngineError::IO(_));
        if broken {
            Self::Unreachable { action, source: error.into() }
        } else {
            Self::Garbled { action, source: error.into() }
        }
    }

    /// Podman's words, if it answered at all.
    pub(crate) fn refusal(&self) -> Option<&Refusal> {
        if let Self::Refused { source, .. } = self { Some(source) } else { None }
    }

    pub(crate) fn is_not_found(&self) -> bool {
        self.refusal().is_some_and(|refusal| refusal.code == 404)
    }

    /// The container does not exist. While Podman is removing it, Podman says so with the status 500.
    pub(crate) fn is_no_such_container(&self) -> bool {
        self.refusal().is_some_and(|refusal| refusal.message.contains("no such container"))
    }
}

/// Podman's messages end with their cause, which podman-api appends once more: `no such file: no such file`.
fn without_repetition(message: &str) -> &str {
    let repeated = message.match_indices(": ").find(|&(at, _)| message[..at].ends_with(&message[at + 2..]));
    repeated.map_or(message, |(at, _)| &message[..at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn podmans_messages_are_said_once() {
        for (message, expected) in [
            ("no such file: no such file", "no such file"),
            (
                "no container \"x\" found: no such container: no such container",
                "no container \"x\" found: no such container",
            ),
            ("name is in use: conflict", "name is in use: conflict"),
            ("Not Found", "Not Found"),
        ] {
            assert_eq!(without_repetition(message), expected);
        }
    }
}
