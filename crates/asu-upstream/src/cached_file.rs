//! One file of upstream, held in memory: believed for a while, then asked for again, once at a time, and kept as it was
//! for as long as upstream is away.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::{
    FutureExt,
    future::{BoxFuture, Shared},
};
use tokio::time::{self, Instant};

use crate::{
    documents::Document,
    error::{FetchError, chain},
    fetcher::{Fetched, Fetcher, Outcome, Validators},
    policy::Policy,
};

/// So often in a row upstream must say that a file it once gave is gone. While it publishes, files vanish for moments.
const MISSES_TO_FORGET: u32 = 2;

/// A copy of a file.
#[derive(Debug)]
pub(crate) struct Copy<T> {
    pub(crate) value: Arc<T>,
    /// Why no newer copy could be had; none while the copy is as good as upstream's.
    pub(crate) doubt: Option<Arc<FetchError>>,
}

/// Why there is no copy of a file.
#[derive(Debug, Clone)]
pub(crate) enum NoCopy {
    /// Upstream says that there is no such file.
    Missing,
    /// It could not be fetched or read.
    Failed {
        error: Arc<FetchError>,
        /// When upstream was last heard, it said that there is no such file.
        was_missing: bool,
    },
}

impl NoCopy {
    /// True if there is no such file as far as is known: what upstream said holds until it says something else.
    pub(crate) fn is_missing(&self) -> bool {
        match self {
            Self::Missing => true,
            Self::Failed { was_missing, .. } => *was_missing,
        }
    }
}

/// How a file is doing.
#[derive(Debug)]
pub(crate) struct Condition {
    pub(crate) is_held: bool,
    /// Upstream once gave it, or said that there is none; worth keeping for while it fails.
    pub(crate) is_known: bool,
    pub(crate) failure: Option<Failure>,
}

/// A file whose last fetch failed.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) path: String,
    pub(crate) error: Arc<FetchError>,
    pub(crate) since: Instant,
    /// The age of the copy that is served all the same.
    pub(crate) age: Option<Duration>,
}

/// A fetch under way; all who want the file wait for the same one.
type Flight = Shared<BoxFuture<'static, ()>>;

pub(crate) struct CachedFile<T> {
    path: String,
    fetcher: Arc<Fetcher>,
    policy: Policy,
    state: Mutex<State<T>>,
}

struct State<T> {
    held: Option<Held<T>>,
    /// Upstream's last word was that there is no such file.
    said_missing: bool,
    last: Last,
    /// When upstream is to be asked again.
    due: Instant,
    flight: Option<Flight>,
}

/// What came of the last fetch.
enum Last {
    /// There was none yet, or it brought the file.
    Fine,
    Missing {
        times: u32,
    },
    Failed {
        times: u32,
        error: Arc<FetchError>,
        at: Instant,
    },
}

struct Held<T> {
    value: Arc<T>,
    validators: Validators,
    /// When upstream last confirmed it.
    confirmed: Instant,
}

/// What a fetch brought, read.
enum News<T> {
    New(Arc<T>, Validators),
    Unchanged,
    Missing,
}

/// What a reader does with the state as it is.
enum Step<T> {
    Take(Result<Copy<T>, NoCopy>),
    Wait(Flight),
    WaitALittle(Flight),
}

impl<T: Document> CachedFile<T> {
    pub(crate) fn new(path: &str, fetcher: Arc<Fetcher>, policy: Policy) -> Self {
        let state = State { held: None, said_missing: false, last: Last::Fine, due: Instant::now(), flight: None };
        Self { path: path.to_owned(), fetcher, policy, state: Mutex::new(state) }
    }

    /// The file: at once while there is a usable copy, else after one fetch, whoever began it.
    pub(crate) async fn get(self: &Arc<Self>) -> Result<Copy<T>, NoCopy> {
        let step = self.step();
        match step {
            Step::Take(answer) => return answer,
            Step::Wait(flight) => flight.await,
            // A copy is at hand; if upstream takes its time, the fetch goes on without this reader.
            Step::WaitALittle(flight) => time::timeout(self.policy.patience, flight).await.unwrap_or_default(),
        }
        self.lock().answer()
    }

    /// Asks again for a file that failed, if it is time and it is not being asked for already.
    pub(crate) fn retry_if_due(self: &Arc<Self>) {
        let mut state = self.lock();
        if matches!(state.last, Last::Failed { .. }) && state.due <= Instant::now() {
            // Nobody waits for it here; the task runs by itself.
            drop(self.begin_flight(&mut state));
        }
    }

    pub(crate) fn condition(&self) -> Condition {
        let state = self.lock();
        let failure = match &state.last {
            Last::Fine | Last::Missing { .. } => None,
            Last::Failed { error, at, .. } => Some(Failure {
                path: self.path.clone(),
                error: Arc::clone(error),
                since: *at,
                age: state.held.as_ref().map(|held| held.confirmed.elapsed()),
            }),
        };
        let is_held = state.held.is_some();
        Condition { is_held, is_known: is_held || state.said_missing, failure }
    }

    fn step(self: &Arc<Self>) -> Step<T> {
        let mut state = self.lock();
        let now = Instant::now();
        if state.due > now {
            return Step::Take(state.answer());
        }
        let flight = self.begin_flight(&mut state);
        match &state.held {
            None => Step::Wait(flight),
            // Who was let down once does not keep the next reader waiting.
            Some(held) if self.policy.is_outdated(now.duration_since(held.confirmed)) && state.doubt().is_none() => {
                Step::WaitALittle(flight)
            }
            Some(_) => Step::Take(state.answer()),
        }
    }

    /// The fetch is a task of its own, so that it outlives the reader who happened to begin it. It is bounded by the
    /// time limit of a fetch and changes nothing outside this process: the end of the process may cut it off.
    fn begin_flight(self: &Arc<Self>, state: &mut State<T>) -> Flight {
        // A flight that landed without taking itself out of the state was interrupted.
        if let Some(flight) = state.flight.as_ref().filter(|flight| flight.peek().is_none()) {
            return flight.clone();
        }
        let file = Arc::clone(self);
        let known = state.held.as_ref().map(|held| held.validators.clone()).unwrap_or_default();
        let task = tokio::spawn(async move {
            let news = file.fetch(&known).await;
            file.settle(news);
        });
        let flight = task.map(drop).boxed().shared();
        state.flight = Some(flight.clone());
        flight
    }

    async fn fetch(&self, known: &Validators) -> Result<News<T>, FetchError> {
        match self.fetcher.fetch(&self.path, known).await? {
            Fetched::Unchanged => Ok(News::Unchanged),
            Fetched::Missing => Ok(News::Missing),
            Fetched::New { body, validators } => {
                // A large file takes milliseconds of CPU, which would hold up every other answer of this thread.
                let parsed = tokio::task::spawn_blocking(move || T::parse(&body)).await;
                let value = parsed.map_err(|_| FetchError::Interrupted)?.map_err(FetchError::Unreadable)?;
                Ok(News::New(Arc::new(value), validators))
            }
        }
    }

    fn settle(&self, news: Result<News<T>, FetchError>) {
        let mut state = self.lock();
        state.flight = None;
        let (outcome, pause) = match news {
            Ok(News::New(value, validators)) => {
                state.held = Some(Held { value, validators, confirmed: Instant::now() });
                (Outcome::New, self.confirmed(&mut state))
            }
            Ok(News::Unchanged) => (Outcome::Unchanged, self.confirmed(&mut state)),
            Ok(News::Missing) => (Outcome::Missing, self.missed(&mut state)),
            Err(error) => (Outcome::Failed, self.failed(&mut state, error)),
        };
        state.due = Instant::now() + Policy::jittered(pause);
        drop(state);
        self.fetcher.record(outcome);
    }

    fn confirmed(&self, state: &mut State<T>) -> Duration {
        if let Some(held) = &mut state.held {
            held.confirmed = Instant::now();
        }
        if let Last::Failed { times, .. } = state.last {
            tracing::info!(upstream.path = self.path, upstream.failures = times, "upstream gives this file again");
        }
        state.last = Last::Fine;
        state.said_missing = false;
        self.policy.ttl
    }

    fn missed(&self, state: &mut State<T>) -> Duration {
        let times = match state.last {
            Last::Missing { times } => times.saturating_add(1),
            Last::Fine | Last::Failed { .. } => 1,
        };
        state.last = Last::Missing { times };
        state.said_missing = true;
        if times >= MISSES_TO_FORGET {
            state.held = None;
        }
        self.policy.negative_ttl
    }

    fn failed(&self, state: &mut State<T>, error: FetchError) -> Duration {
        let times = match state.last {
            Last::Failed { times, .. } => times.saturating_add(1),
            Last::Fine | Last::Missing { .. } => 1,
        };
        if times == 1 {
            let error = chain(&error);
            tracing::warn!(
                upstream.path = self.path,
                error,
                has_copy = state.held.is_some(),
                "upstream fails to give a file"
            );
        }
        state.last = Last::Failed { times, error: Arc::new(error), at: Instant::now() };
        self.policy.pause_after(times)
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> State<T> {
    fn doubt(&self) -> Option<&Arc<FetchError>> {
        match &self.last {
            Last::Fine | Last::Missing { .. } => None,
            Last::Failed { error, .. } => Some(error),
        }
    }

    fn answer(&self) -> Result<Copy<T>, NoCopy> {
        match (&self.held, &self.last) {
            (Some(held), _) => Ok(Copy { value: Arc::clone(&held.value), doubt: self.doubt().cloned() }),
            (None, Last::Missing { .. }) => Err(NoCopy::Missing),
            (None, Last::Failed { error, .. }) => {
                Err(NoCopy::Failed { error: Arc::clone(error), was_missing: self.said_missing })
            }
            (None, Last::Fine) => {
                Err(NoCopy::Failed { error: Arc::new(FetchError::Interrupted), was_missing: self.said_missing })
            }
        }
    }
}
