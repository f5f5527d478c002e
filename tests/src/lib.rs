//! What the end-to-end tests and the benchmark stand on: a whole deployment of the real processes.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod answer;
mod deployment;
mod events;
mod image;
mod process;
mod raw;

pub use answer::Answer;
pub use deployment::{Deployment, request};
pub use events::{Event, Events};
pub use image::look_inside;
pub use process::{Process, Settings, binary};
pub use raw::raw;
