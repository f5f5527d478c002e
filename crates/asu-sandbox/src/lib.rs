//! Podman: containers as values, with limits, streamed commands and archives, and typed failures.
//!
//! [`Podman`] is the engine, a [`Sandbox`] a running container that is removed when it is dropped. What a program in a
//! container does wrong is a value ([`CommandFailure`], [`ArchiveError`]); a [`SandboxError`] says that the engine or
//! our own machine is broken, and is never the program's fault.
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may panic"))]

mod archive;
mod attached;
mod command;
mod config;
mod engine_facts;
mod error;
mod exec;
mod files;
mod follow;
mod get;
mod image;
mod image_digest;
mod local_image;
mod memory;
mod network;
mod outcome;
mod output;
mod podman;
mod pull;
mod put;
mod reaper;
mod sandbox;
mod socket;
mod spec;
mod state;
mod wire;
mod witness;

pub use archive::{ArchiveError, ArchiveLimits, EntryName, ExtractedFile, GetError};
pub use command::{Command, CommandFailure, CommandLimits, Outcome};
pub use config::Config;
pub use engine_facts::EngineFacts;
pub use error::{Refusal, SandboxError};
pub use files::{BadPath, Files, Owner};
pub use image::{BadImage, ImageId, ImageReference, RemovedImage};
pub use image_digest::ImageDigest;
pub use local_image::LocalImage;
pub use output::{Captured, Output, OutputStream};
pub use podman::Podman;
pub use pull::PullError;
pub use sandbox::Sandbox;
pub use socket::SocketVariables;
pub use spec::{Network, SandboxSpec};
