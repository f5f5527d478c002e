//! What is deleted when: images live as long as the record of their build, and at most as many as there is room for.
//!
//! The queue knows which images a record has, the store knows which there are; an [`Inventory`] holds one against the
//! other. [`sweep`] deletes what no record has, and of the rest the oldest while there is too much. The record always goes
//! before its images, so that nobody is ever given a link to something that is about to vanish. [`check`] tells where the
//! two disagree, [`disk_report`] how old what is stored is.
//!
//! A store belongs to one queue: what its records do not know is rubbish to the sweeper.
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may panic"))]

mod check;
mod config;
mod disk_report;
mod error;
mod inventory;
mod plan;
mod sweep;

pub use check::{CheckReport, Disagreement, check};
pub use config::Config;
pub use disk_report::{AgeGroup, DiskReport, disk_report};
pub use error::RetentionError;
pub use inventory::{Inventory, Item};
pub use plan::{Limits, Plan, Reason, Removal};
pub use sweep::{Swept, plan, sweep};
