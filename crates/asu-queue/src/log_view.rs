//! The log of a build as readers see it.

use asu_core::{RequestHash, Stage};

use crate::{AttemptId, Queue, QueueError, queue::millis, reply::Reply, scripts};

/// The most entries of one answer; with the size of an entry it bounds what an answer holds.
const MOST: usize = 64;

/// Where a build is, and what it has printed since the last look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogView {
    /// Where the build is.
    pub state: LogState,
    /// The attempt whose log this is: when it began. Nothing if there is no log, or not any more.
    pub attempt: Option<u64>,
    /// What comes after what is known; of another attempt than the known one, everything.
    pub entries: Vec<LogEntry>,
    /// True if there may be more entries already.
    pub more: bool,
}

/// Where a build is, as far as its log is concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogState {
    /// It waits.
    Queued {
        /// How many builds go before it.
        position: u64,
    },
    /// A worker holds it.
    Started {
        /// What the worker is doing.
        stage: Stage,
    },
    /// It ended, by this attempt.
    Finished(AttemptId),
}

/// A part of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    /// Where it begins, in bytes of its attempt's log. If that is not where the one before ended, something is missing.
    pub start: u64,
    /// Where it ends.
    pub end: u64,
    /// What it says.
    pub content: LogContent,
}

/// What an entry of a log says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogContent {
    /// A stage begins.
    Stage(Stage),
    /// Whole lines, as they were printed.
    Text(String),
}

impl Queue {
    /// Where a build is, and what its latest attempt printed after `known`, which is the attempt and the end of the last
    /// entry that the caller has; `None` if there is no such build. One short round trip.
    ///
    /// # Errors
    /// Redis is away or refuses, or another version of the server wrote the record.
    pub async fn log(
        &self,
        request_hash: &RequestHash,
        known: Option<(u64, u64)>,
    ) -> Result<Option<LogView>, QueueError> {
        let (attempt, end) = known.map(|(attempt, end)| (attempt.to_string(), end.to_string())).unwrap_or_default();
        let lease = millis(self.shared.config.lease.get());
        let args = [request_hash.as_str(), &lease, &attempt, &end, &MOST.to_string()];
        let keys = self.shared.keys.of_log(request_hash);
        let reply = self.ask("read the log of the build", &scripts::READ_LOG, keys, &args).await?;
        LogView::read(request_hash, reply)
    }
}

impl LogView {
    fn read(request_hash: &RequestHash, mut reply: Reply) -> Result<Option<Self>, QueueError> {
        let Some(state) = reply.next() else { return Ok(None) };
        let (detail, token) = (reply.text()?, reply.text()?);
        let state = match state.as_str() {
            "queued" => LogState::Queued { position: detail.parse().or_else(|_| reply.unexpected())? },
            // A stage of a newer worker: that the build runs is what readers need to know.
            "started" => LogState::Started { stage: Stage::from_name(&detail).unwrap_or(Stage::Init) },
            "done" | "failed" => LogState::Finished(AttemptId::from_redis(token)),
            _ => return Err(QueueError::UnknownState { request_hash: request_hash.clone(), state }),
        };
        let attempt = match reply.text()?.as_str() {
            "" => None,
            text => Some(text.parse().or_else(|_| reply.unexpected())?),
        };
        let mut entries = Vec::new();
        while let Some(end) = reply.next() {
            let end = end.parse().or_else(|_| reply.unexpected())?;
            entries.push(LogEntry::read(end, &reply.text()?, reply.text()?));
        }
        Ok(Some(Self { state, attempt, more: entries.len() >= MOST, entries }))
    }
}

impl LogEntry {
    fn read(end: u64, kind: &str, text: String) -> Self {
        let start = end.saturating_sub(text.len() as u64);
        let content = match (kind, Stage::from_name(&text)) {
            ("text", _) => LogContent::Text(text),
            (_, Some(stage)) => LogContent::Stage(stage),
            // Of a newer worker.
            (_, None) => LogContent::Text(String::new()),
        };
        Self { start, end, content }
    }
}
