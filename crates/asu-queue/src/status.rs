//! Where a build is.

use std::time::Duration;

use asu_core::{BuildRequest, RequestHash, Stage};

use crate::{AttemptId, ClientLimit, QueueError, QueuedBuild, UnixMillis, queued_build::UnreadableBuild, reply::Reply};

/// The state of a build and the few fields that go with it. What a finished build left behind is large and comes
/// from [`crate::Queue::outcome`].
#[derive(Debug, Clone, PartialEq)]
pub enum BuildStatus {
    /// It waits.
    Queued {
        /// How many builds go before it.
        position: u64,
        /// When it was asked for.
        enqueued_at: UnixMillis,
        /// In what time a worker is likely to take it; `None` if there is no worker, or nothing to judge by.
        eta: Option<Duration>,
    },
    /// A worker holds it.
    Started {
        /// What the worker is doing.
        stage: Stage,
        /// The command that builds the images, once it is known.
        build_cmd: Option<Vec<String>>,
        /// When it was asked for.
        enqueued_at: UnixMillis,
        /// When this attempt began.
        started_at: UnixMillis,
        /// What is being built.
        request: Box<BuildRequest>,
    },
    /// The images are stored.
    Done(FinalState),
    /// There will be no images.
    Failed(FinalState),
}

/// A build that ended. Two with equal hashes and attempts have equal outcomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FinalState {
    /// The attempt that ended it.
    pub attempt: AttemptId,
    /// When it was asked for.
    pub enqueued_at: UnixMillis,
    /// When it ended.
    pub finished_at: UnixMillis,
}

/// What became of a request to build.
#[derive(Debug, Clone, PartialEq)]
pub enum Enqueued {
    /// It is in line now.
    New(BuildStatus),
    /// It was known already; nothing changed.
    Known(BuildStatus),
    /// The client has had its share.
    Limited {
        /// Of what.
        limit: ClientLimit,
        /// When it may have one more; `None` if nobody can tell.
        wait: Option<Duration>,
    },
    /// There is no room.
    Full {
        /// How many builds wait.
        length: u64,
    },
}

impl BuildStatus {
    /// Reads the answer of `status.lua`; `None` if there is no such build.
    pub(crate) fn read(request_hash: &RequestHash, mut reply: Reply) -> Result<Option<Self>, QueueError> {
        let Some(state) = reply.next() else { return Ok(None) };
        let status = match state.as_str() {
            "queued" => Self::Queued { position: reply.number()?, enqueued_at: reply.time()?, eta: reply.duration()? },
            "started" => Self::started(request_hash, &mut reply)?,
            "done" => Self::Done(FinalState::read(&mut reply)?),
            "failed" => Self::Failed(FinalState::read(&mut reply)?),
            _ => return Err(QueueError::UnknownState { request_hash: request_hash.clone(), state }),
        };
        Ok(Some(status))
    }

    fn started(request_hash: &RequestHash, reply: &mut Reply) -> Result<Self, QueueError> {
        let unreadable = |source| QueueError::Unreadable { request_hash: request_hash.clone(), source };
        let (enqueued_at, started_at) = (reply.time()?, reply.time()?);
        // A stage of a newer worker: that the build runs is what clients need to know.
        let stage = Stage::from_name(&reply.text()?).unwrap_or(Stage::Init);
        let build_cmd = match reply.text()?.as_str() {
            "" => None,
            json => Some(serde_json::from_str(json).map_err(|e| unreadable(UnreadableBuild::Content(e)))?),
        };
        let build = QueuedBuild::parse(&reply.text()?).map_err(unreadable)?;
        Ok(Self::Started { stage, build_cmd, enqueued_at, started_at, request: Box::new(build.request) })
    }
}

impl FinalState {
    fn read(reply: &mut Reply) -> Result<Self, QueueError> {
        Ok(Self {
            attempt: AttemptId::from_redis(reply.text()?),
            enqueued_at: reply.time()?,
            finished_at: reply.time()?,
        })
    }
}
