//! Unpacking an archive that nobody vouches for.

mod error;
mod name;
mod pax;
mod source;
mod unpack;

pub use error::{ArchiveError, GetError};
pub use name::EntryName;
pub(crate) use source::ChannelReader;
pub(crate) use unpack::unpack;
pub use unpack::{ArchiveLimits, ExtractedFile};

#[cfg(test)]
mod tests;
