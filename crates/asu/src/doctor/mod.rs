//! `asu doctor`: looks at everything that the server needs, and says what is missing and what to do about it.

mod bucket;
mod clock;
mod deep;
mod disk;
mod finding;
mod podman;
mod redis;
mod registry;
mod run;
mod settings;
mod upstream;

pub(crate) use run::{DoctorOptions, doctor};
