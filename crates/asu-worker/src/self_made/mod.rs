//! ImageBuilder images that no registry has: made of the archive that upstream publishes and signs.

mod error;
mod imagebuilder_archive;
mod maker;
mod origin;
mod watched_download;

pub(crate) use error::MakeError;
pub(crate) use maker::SelfMade;
