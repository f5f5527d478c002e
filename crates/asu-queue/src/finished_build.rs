//! A finished build with everything it left behind.

use asu_core::{BuildFailure, BuildLog, BuildOutcome, BuildRequest, FailedBuild, RequestHash};
use redis::Cmd;
use serde::de::DeserializeOwned;

use crate::{AttemptId, QueueError, QueuedBuild, UnixMillis, queued_build::UnreadableBuild, reply::Reply};

/// The record of a build that ended.
#[derive(Debug, Clone, PartialEq)]
pub struct FinishedBuild {
    /// The attempt that ended it: the version of everything else here.
    pub attempt: AttemptId,
    /// What was built.
    pub request: BuildRequest,
    /// How it ended.
    pub outcome: BuildOutcome,
    /// When it was asked for.
    pub enqueued_at: UnixMillis,
    /// When the last attempt began.
    pub started_at: UnixMillis,
    /// When it ended.
    pub finished_at: UnixMillis,
}

const FIELDS: [&str; 9] =
    ["state", "token", "payload", "enqueued_at", "started_at", "finished_at", "outcome", "gave_up", "build_cmd"];

impl FinishedBuild {
    pub(crate) fn query(record: &str) -> Cmd {
        let mut command = redis::cmd("HMGET");
        command.arg(record).arg(&FIELDS);
        command
    }

    /// Reads the answer to [`Self::query`]; `None` unless the build ended.
    pub(crate) fn read(
        request_hash: &RequestHash,
        action: &'static str,
        values: Vec<Option<String>>,
    ) -> Result<Option<Self>, QueueError> {
        let unreadable = |source| QueueError::Unreadable { request_hash: request_hash.clone(), source };
        let mut reply = Reply::new(action, values.into_iter().map(Option::unwrap_or_default).collect());
        let state = reply.text()?;
        match state.as_str() {
            "done" | "failed" => {}
            "" | "queued" | "started" => return Ok(None),
            _ => return Err(QueueError::UnknownState { request_hash: request_hash.clone(), state }),
        }
        let attempt = AttemptId::from_redis(reply.text()?);
        let request = QueuedBuild::parse(&reply.text()?).map_err(unreadable)?.request;
        let (enqueued_at, started_at, finished_at) = (reply.time()?, reply.time()?, reply.time()?);
        let outcome = read_outcome(&mut reply, unreadable)?;
        Ok(Some(Self { attempt, request, outcome, enqueued_at, started_at, finished_at }))
    }
}

/// A build that was given up has no outcome of its own making.
fn read_outcome(
    reply: &mut Reply,
    unreadable: impl Fn(UnreadableBuild) -> QueueError,
) -> Result<BuildOutcome, QueueError> {
    let (outcome, gave_up, build_cmd) = (reply.text()?, reply.text()?, reply.text()?);
    if gave_up.is_empty() {
        return parse(&outcome).map_err(unreadable);
    }
    let attempts = parse(&gave_up).map_err(&unreadable)?;
    let build_cmd = if build_cmd.is_empty() { Vec::new() } else { parse(&build_cmd).map_err(unreadable)? };
    let failure = BuildFailure::GaveUp { attempts };
    Ok(BuildOutcome::Failed(Box::new(FailedBuild { failure, build_cmd, log: BuildLog::default() })))
}

fn parse<T: DeserializeOwned>(json: &str) -> Result<T, UnreadableBuild> {
    serde_json::from_str(json).map_err(UnreadableBuild::Content)
}
