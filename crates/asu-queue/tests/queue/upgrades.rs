//! Processes of several versions at the same queue: records as they were written in production when this was recorded
//! (`fixtures/`, read out of Redis while a server ran), and records as later versions may write them.

use asu_core::{BuildFailure, BuildOutcome, RequestHash};
use asu_queue::{BuildStatus, QueueError};
use redis::aio::MultiplexedConnection;
use serde_json::Value;

use crate::bench::{Bench, done, eventually, package, record, take};

/// So far in the future that no lease of a fixture ends within a test.
const LATER_MS: u64 = 3_600_000;

/// A record, read from its file.
struct Fixture {
    hash: RequestHash,
    fields: Value,
}

impl Fixture {
    fn of(text: &str) -> Self {
        let record: Value = serde_json::from_str(text).unwrap();
        let hash = RequestHash::parse(record["hash"].as_str().unwrap()).unwrap();
        Self { hash, fields: record["fields"].clone() }
    }

    fn queued() -> Self {
        Self::of(include_str!("../fixtures/queued.json"))
    }

    fn started() -> Self {
        Self::of(include_str!("../fixtures/started.json"))
    }

    /// The payload, changed as a later version might write it.
    fn with_payload(mut self, change: impl FnOnce(&mut Value)) -> Self {
        let mut payload: Value = serde_json::from_str(self.text("payload")).unwrap();
        change(&mut payload);
        self.fields["payload"] = payload.to_string().into();
        self
    }

    fn text(&self, field: &str) -> &str {
        self.fields[field].as_str().unwrap()
    }

    /// Puts it where it was when it was recorded.
    async fn restore(&self, redis: &mut MultiplexedConnection) {
        for (field, value) in self.fields.as_object().unwrap() {
            let mut command = redis::cmd("HSET");
            command.arg(record(&self.hash)).arg(field).arg(value.as_str().unwrap());
            let () = command.query_async(redis).await.unwrap();
        }
        let (seconds, _): (u64, u64) = redis::cmd("TIME").query_async(redis).await.unwrap();
        let set = match self.text("state") {
            "queued" => Some(("{test}:pending", self.text("seq").to_owned())),
            "started" => Some(("{test}:running", (seconds * 1000 + LATER_MS).to_string())),
            _ => None,
        };
        if let Some((set, score)) = set {
            let () = redis::cmd("ZADD").arg(set).arg(score).arg(self.hash.as_str()).query_async(redis).await.unwrap();
        }
    }
}

#[tokio::test]
async fn builds_that_an_earlier_version_put_in_line_are_built() {
    let bench = Bench::start().await;
    let (queued, started) = (Fixture::queued(), Fixture::started());
    queued.restore(&mut bench.raw().await).await;
    started.restore(&mut bench.raw().await).await;
    assert_eq!(bench.position(&queued.hash).await, 0);
    let BuildStatus::Started { request, build_cmd, .. } = bench.status(&started.hash).await else {
        panic!("not started")
    };
    assert_eq!(request.version.to_string(), "24.10.4");
    assert!(build_cmd.is_some_and(|command| command.contains(&"image".to_owned())));
    let claim = take(&mut bench.builds("new")).await;
    assert_eq!((&claim.request_hash, package(&claim)), (&queued.hash, "tmux".to_owned()));
    let attempt = claim.lease.attempt().clone();
    claim.lease.finish(done(&attempt)).await.unwrap();
    assert!(matches!(bench.status(&queued.hash).await, BuildStatus::Done(_)));
}

#[tokio::test]
async fn outcomes_of_an_earlier_version_are_answered() {
    let bench = Bench::start().await;
    let fixtures = [include_str!("../fixtures/done.json"), include_str!("../fixtures/failed.json")].map(Fixture::of);
    for fixture in &fixtures {
        fixture.restore(&mut bench.raw().await).await;
    }
    let [done, failed] = fixtures;
    let BuildOutcome::Done(result) = bench.queue.outcome(&done.hash).await.unwrap().unwrap().outcome else {
        panic!("not done")
    };
    assert!(result.bin_dir.starts_with(done.hash.as_str()), "{}", result.bin_dir);
    assert!(result.metadata.contains_key("images"));
    let BuildOutcome::Failed(outcome) = bench.queue.outcome(&failed.hash).await.unwrap().unwrap().outcome else {
        panic!("not failed")
    };
    assert!(matches!(outcome.failure, BuildFailure::ImpossiblePackages { .. }), "{outcome:?}");
}

/// A later version that adds what an earlier one may ignore keeps the number of the format.
#[tokio::test]
async fn what_a_later_version_adds_is_passed_over() {
    let bench = Bench::start().await;
    let mut fixture = Fixture::queued().with_payload(|payload| {
        payload["priority"] = 7.into();
        payload["request"]["colour"] = "blue".into();
    });
    fixture.fields["note"] = "of a later version".into();
    fixture.restore(&mut bench.raw().await).await;
    let claim = take(&mut bench.builds("old")).await;
    assert_eq!(claim.request_hash, fixture.hash);
    let attempt = claim.lease.attempt().clone();
    claim.lease.finish(done(&attempt)).await.unwrap();
    assert!(matches!(bench.status(&fixture.hash).await, BuildStatus::Done(_)));
}

/// One that an earlier worker would misread has another number, and the build waits for a worker that can read it.
#[tokio::test]
async fn a_payload_of_a_later_format_waits_and_others_go_first() {
    let bench = Bench::start().await;
    let readable = Fixture::queued();
    let later = Fixture::queued().with_payload(|payload| payload["format"] = 2.into());
    later.restore(&mut bench.raw().await).await;
    let other = bench.enqueue([1]).await.remove(0);
    let mut old = bench.builds("old");
    let claim = take(&mut old).await;
    assert_eq!(claim.request_hash, other, "a build that cannot be read does not block the line");
    let attempt = claim.lease.attempt().clone();
    claim.lease.finish(done(&attempt)).await.unwrap();
    assert!(matches!(bench.status(&later.hash).await, BuildStatus::Queued { .. }), "put off, not dropped");
    assert_eq!(bench.field(&later.hash, "tries").await.as_deref(), Some("0"), "no attempt is used up");

    // As if the worker that comes now were the later version's.
    bench.set_field(&later.hash, "payload", readable.text("payload")).await;
    let claim = take(&mut old).await;
    assert_eq!(claim.request_hash, later.hash);
    let attempt = claim.lease.attempt().clone();
    claim.lease.finish(done(&attempt)).await.unwrap();
    eventually("it is built", || async { matches!(bench.status(&later.hash).await, BuildStatus::Done(_)) }).await;
}

/// An earlier API that is asked about it says that it cannot answer now, not that the build failed.
#[tokio::test]
async fn what_another_version_wrote_is_told_apart_from_trouble_and_from_bugs() {
    let bench = Bench::start().await;
    let later = Fixture::started().with_payload(|payload| payload["format"] = 2.into());
    later.restore(&mut bench.raw().await).await;
    let error = bench.queue.status(&later.hash).await.unwrap_err();
    assert!(matches!(error, QueueError::Unreadable { .. }) && error.is_of_another_version(), "{error:?}");
    bench.set_field(&later.hash, "state", "resting").await;
    let error = bench.queue.status(&later.hash).await.unwrap_err();
    assert!(matches!(error, QueueError::UnknownState { .. }) && error.is_of_another_version(), "{error:?}");
    assert!(!error.is_outage());
}
