//! Settings: embedded defaults, then `asu.toml`, then the environment; and the value types settings are made of.
//!
//! The embedded `asu.example.toml` holds every key with its default and is the only place where a default stands.
//! A crate that has settings owns a `Config` struct and asks for it with [`Settings::section`].
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may panic"))]

mod byte_size;
mod duration;
mod error;
mod secret;
mod settings;

pub use byte_size::ByteSize;
pub use duration::DurationSetting;
pub use error::SettingsError;
pub use secret::Secret;
pub use settings::{DEFAULTS, Settings};
