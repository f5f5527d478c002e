//! Whether one dependency of a process works, asked for at most about once a second.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use futures::{
    FutureExt,
    future::{BoxFuture, Shared},
};
use serde_json::{Map, Value, json};

/// How long an answer is good for, so that probing, however often, cannot hurt what is probed.
const REMEMBERED: Duration = Duration::from_secs(1);

/// How a dependency is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// It works.
    Ok,
    /// It works, and this should be known about it.
    Note(String),
    /// It works well enough to serve, and somebody should look at it.
    Degraded(String),
    /// It does not work; the process is not ready.
    Failing(String),
}

impl Condition {
    /// Failing with a text if there was an error.
    pub fn from_result<E: fmt::Display>(result: Result<(), E>) -> Self {
        match result {
            Ok(()) => Self::Ok,
            Err(error) => Self::Failing(error.to_string()),
        }
    }

    /// As an entry of `/ready`.
    pub(crate) fn render(&self) -> Value {
        let (status, detail) = match self {
            Self::Ok => ("ok", None),
            Self::Note(detail) => ("ok", Some(detail)),
            Self::Degraded(detail) => ("degraded", Some(detail)),
            Self::Failing(detail) => ("failing", Some(detail)),
        };
        let mut entry = Map::from_iter([("status".to_owned(), json!(status))]);
        entry.extend(detail.map(|detail| ("detail".to_owned(), json!(detail))));
        Value::Object(entry)
    }
}

type Pending = Shared<BoxFuture<'static, Condition>>;
type Ask = dyn Fn() -> BoxFuture<'static, Condition> + Send + Sync;

/// A named question about a dependency, with a time limit and a memory.
#[derive(Clone)]
pub(crate) struct Check {
    pub(crate) name: &'static str,
    ask: Arc<Ask>,
    timeout: Duration,
    latest: Arc<Mutex<Option<(Instant, Pending)>>>,
}

impl Check {
    pub(crate) fn new<F, Fut>(name: &'static str, timeout: Duration, ask: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Condition> + Send + 'static,
    {
        Self { name, ask: Arc::new(move || ask().boxed()), timeout, latest: Arc::default() }
    }

    /// All who ask within a second share one question and its answer.
    pub(crate) async fn condition(&self) -> Condition {
        self.pending().await
    }

    fn pending(&self) -> Pending {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((asked, pending)) = latest.as_ref()
            && asked.elapsed() < REMEMBERED
        {
            return pending.clone();
        }
        let pending = within(self.timeout, (self.ask)()).boxed().shared();
        *latest = Some((Instant::now(), pending.clone()));
        pending
    }
}

async fn within(timeout: Duration, asked: BoxFuture<'static, Condition>) -> Condition {
    let no_answer = |_| Condition::Failing(format!("no answer within {timeout:?}"));
    tokio::time::timeout(timeout, asked).await.unwrap_or_else(no_answer)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn many_probes_are_one_question() {
        let asked = Arc::new(AtomicUsize::new(0));
        let counter = asked.clone();
        let check = Check::new("redis", Duration::from_secs(5), move || {
            counter.fetch_add(1, Ordering::Relaxed);
            async { Condition::Degraded("slow".to_owned()) }
        });
        let answers = futures::future::join_all((0..100).map(|_| check.condition())).await;
        assert!(answers.iter().all(|answer| *answer == Condition::Degraded("slow".to_owned())));
        assert_eq!(asked.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn a_dependency_that_hangs_is_failing() {
        let check = Check::new("podman", Duration::from_millis(20), std::future::pending);
        assert_eq!(check.condition().await, Condition::Failing("no answer within 20ms".to_owned()));
    }
}
