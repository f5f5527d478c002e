//! What an operator does with the queue and the store, without any server in between.

mod check;
mod disk;
mod error;
mod queue_list;
mod run;
mod scene;
mod show;
mod step_in;
mod sweep;
mod view;

pub(crate) use run::{AdminOptions, EXIT_CODES, admin};
