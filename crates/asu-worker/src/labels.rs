//! What is written on a build's container, so that whoever finds it knows whether anybody still wants it.

use asu_core::RequestHash;
use asu_queue::{AttemptId, WorkerName};

/// The queue that the build came from: several servers may share one Podman.
pub(crate) const QUEUE: &str = "asu.queue";
/// The attempt that the container is of.
pub(crate) const ATTEMPT: &str = "asu.attempt";
/// Who made it; for people.
const WORKER: &str = "asu.worker";
/// What is built in it; for people.
const REQUEST_HASH: &str = "asu.request_hash";

/// All of the above.
pub(crate) const ALL: [&str; 4] = [QUEUE, ATTEMPT, WORKER, REQUEST_HASH];

/// The name of a container begins with this.
const PREFIX: &str = "asu-";

/// The labels of one container.
#[derive(Debug, Clone)]
pub(crate) struct Labels {
    queue: String,
    attempt: String,
    worker: String,
    request_hash: String,
}

impl Labels {
    pub(crate) fn new(queue: String, attempt: &AttemptId, worker: &WorkerName, request_hash: &RequestHash) -> Self {
        let (attempt, worker) = (attempt.to_string(), worker.to_string());
        Self { queue, attempt, worker, request_hash: request_hash.to_string() }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let values = [&self.queue, &self.attempt, &self.worker, &self.request_hash];
        ALL.into_iter().zip(values.map(String::as_str))
    }

    /// The attempt is in the name too, because that is what Podman lists.
    pub(crate) fn container_name(&self) -> String {
        format!("{PREFIX}{}", self.attempt)
    }
}

/// The attempt that a container is of, by its name.
pub(crate) fn attempt_of(container: &str) -> Option<&str> {
    container.strip_prefix(PREFIX)?.split('-').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_containers_name_tells_its_attempt() {
        assert_eq!(attempt_of("asu-0123abcd-77"), Some("0123abcd"));
        assert_eq!(attempt_of("postgres"), None);
    }
}
