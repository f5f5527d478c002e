//! Fakes and fixtures for tests: a fake upstream, private Redis servers, the surroundings of the tests.

mod fake_upstream;
mod redis_server;
mod snapshot_upstream;
mod surroundings;

pub use fake_upstream::{Behaviour, FakeUpstream, Validators};
pub use redis_server::RedisServer;
pub use snapshot_upstream::SnapshotUpstream;
pub use surroundings::{PodmanService, Surroundings};
