//! Signing images: the key, the commands, and whether what came of them is a signed image.

mod commands;
mod error;
mod key;
mod signed_image;

pub(crate) use commands::{SigningCommand, commands_of};
pub(crate) use error::{SignError, Unsigned};
pub(crate) use key::SigningKey;
pub(crate) use signed_image::check_signed;
