//! Fakes and fixtures for tests: a fake upstream, private Redis and S3 servers, a door in front of the registry, a server of
//! packages, the surroundings of the tests.

mod fake_upstream;
mod own_server;
mod package_server;
mod port;
mod redis_server;
mod registry_door;
mod s3_server;
mod snapshot_upstream;
mod surroundings;

pub use fake_upstream::{Behaviour, FakeUpstream, Validators};
pub use package_server::PackageServer;
pub use redis_server::RedisServer;
pub use registry_door::{DoorState, RegistryDoor};
pub use s3_server::{Fault, S3Server};
pub use snapshot_upstream::SnapshotUpstream;
pub use surroundings::{PodmanService, Surroundings};
