//! The records of builds as an operator sees them, also those that this version cannot read.

use std::time::Duration;

use asu_core::{BuildRequest, RequestHash};
use redis::cmd;

use crate::{AttemptId, Queue, QueueError, QueuedBuild, UnixMillis, reply::Reply, scripts, stored_builds::stored_name};

/// So many are asked about at a time, so that no script holds Redis up for long.
const MOST: usize = 200;

/// How many keys Redis looks at for one answer of a scan.
const SCANNED: usize = 1000;

/// A record in short.
#[derive(Debug, Clone, PartialEq)]
pub struct BuildRecord {
    /// The build.
    pub request_hash: RequestHash,
    /// `queued`, `started`, `done` or `failed`; another word if a newer version wrote it.
    pub state: String,
    /// The line that it stands in: `pending`, `delayed` or `running`; `None` if in none.
    pub line: Option<String>,
    /// The attempt that holds it, or ended it.
    pub attempt: Option<AttemptId>,
    /// The worker that holds it.
    pub worker: Option<String>,
    /// What the worker is doing.
    pub stage: Option<String>,
    /// Where it stands among all builds that were asked for; those that wait are taken in this order.
    pub seq: u64,
    /// How many attempts counted.
    pub tries: u32,
    /// How often it was put off.
    pub postponed: u32,
    /// When it was asked for.
    pub enqueued_at: Option<UnixMillis>,
    /// When the latest attempt began.
    pub started_at: Option<UnixMillis>,
    /// When it ended.
    pub finished_at: Option<UnixMillis>,
    /// In what time a build that is put off is due, or the lease of a running one ends.
    pub due: Option<Duration>,
    /// In what time the record of a finished build is forgotten.
    pub expires: Option<Duration>,
    /// The bytes of its images.
    pub size: Option<u64>,
    /// What is built; `None` if this version cannot read it.
    pub request: Option<BuildRequest>,
}

impl BuildRecord {
    /// The name under which the images of a build that is done are stored.
    pub fn stored_name(&self) -> Option<String> {
        let attempt = self.attempt.as_ref().filter(|_| self.state == "done")?;
        Some(stored_name(&self.request_hash, attempt))
    }

    /// `None` if there is no such record.
    fn read(request_hash: &RequestHash, reply: &mut Reply) -> Result<Option<Self>, QueueError> {
        let filled = |text: String| (!text.is_empty()).then_some(text);
        let time = |text: String| text.parse().ok().map(UnixMillis::new);
        let record = Self {
            request_hash: request_hash.clone(),
            state: reply.text()?,
            line: filled(reply.text()?),
            attempt: filled(reply.text()?).map(AttemptId::from_redis),
            worker: filled(reply.text()?),
            stage: filled(reply.text()?),
            seq: reply.text()?.parse().unwrap_or_default(),
            tries: reply.text()?.parse().unwrap_or_default(),
            postponed: reply.text()?.parse().unwrap_or_default(),
            enqueued_at: time(reply.text()?),
            started_at: time(reply.text()?),
            finished_at: time(reply.text()?),
            due: reply.duration()?,
            expires: reply.duration()?,
            size: reply.text()?.parse().ok(),
            request: QueuedBuild::parse(&reply.text()?).ok().map(|build| build.request),
        };
        Ok((!record.state.is_empty()).then_some(record))
    }
}

impl Queue {
    /// The builds that have a record, in no order. Looks through all of Redis, bit by bit: for operators only.
    ///
    /// # Errors
    /// Redis is away or refuses.
    pub async fn known_builds(&self) -> Result<Vec<RequestHash>, QueueError> {
        let action = "look through the records";
        let prefix = self.shared.keys.records();
        let pattern = format!("{}*", literal(prefix));
        let (mut builds, mut cursor) = (Vec::new(), 0_u64);
        loop {
            let mut command = cmd("SCAN");
            command.arg(cursor).arg("MATCH").arg(&pattern).arg("COUNT").arg(SCANNED);
            let (next, keys): (u64, Vec<String>) = self.shared.connection.command(action, &command).await?;
            builds.extend(keys.iter().filter_map(|key| RequestHash::parse(key.strip_prefix(prefix)?).ok()));
            if next == 0 {
                break;
            }
            cursor = next;
        }
        builds.sort();
        // A scan may tell of a key more than once.
        builds.dedup();
        Ok(builds)
    }

    /// The builds that stand in a line of those who wait, are put off or run, whether or not they have a record.
    ///
    /// # Errors
    /// Redis is away or refuses.
    pub async fn builds_in_line(&self) -> Result<Vec<RequestHash>, QueueError> {
        let mut builds = Vec::new();
        for line in self.shared.keys.lines() {
            let mut command = cmd("ZRANGE");
            command.arg(line).arg(0).arg(-1);
            let hashes: Vec<String> = self.shared.connection.command("list the builds in line", &command).await?;
            builds.extend(hashes.iter().filter_map(|hash| RequestHash::parse(hash).ok()));
        }
        Ok(builds)
    }

    /// The records of these builds, without those that have none, in the order of the builds.
    ///
    /// # Errors
    /// Redis is away or refuses.
    pub async fn records(&self, builds: &[RequestHash]) -> Result<Vec<BuildRecord>, QueueError> {
        let mut records = Vec::new();
        for some in builds.chunks(MOST) {
            let hashes: Vec<_> = some.iter().map(RequestHash::as_str).collect();
            let mut reply = self.ask("read the records", &scripts::RECORDS, self.shared.keys.of_all(), &hashes).await?;
            for request_hash in some {
                records.extend(BuildRecord::read(request_hash, &mut reply)?);
            }
        }
        Ok(records)
    }
}

/// A text in which Redis sees no pattern.
fn literal(text: &str) -> String {
    text.chars().flat_map(|c| "*?[]\\".contains(c).then_some('\\').into_iter().chain([c])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_no_pattern() {
        for (prefix, pattern) in [("{asu}:b:", "{asu}:b:"), ("a*[b]?", "a\\*\\[b\\]\\?")] {
            assert_eq!(literal(prefix), pattern);
        }
    }
}
