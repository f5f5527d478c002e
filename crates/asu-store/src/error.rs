//! What can go wrong in the store.

use std::{io, path::PathBuf};

use asu_config::ByteSize;
use rustix::io::Errno;

use crate::{bin_dir::BinDir, file_name::FileName};

/// The store could not do something. None of these is ever a request's fault.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The directory of the store is missing and cannot be made.
    #[error("cannot create the store {}", path.display())]
    Create {
        /// `<public_path>/store`.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// No place for a new build.
    #[error("cannot stage {bin_dir}")]
    Stage {
        /// The build's directory.
        bin_dir: BinDir,
        /// Why.
        source: io::Error,
    },
    /// A build has something other than files and directories among its files.
    #[error("{bin_dir} holds {}, which is neither a file nor a directory", path.display())]
    NotAFile {
        /// The build's directory.
        bin_dir: BinDir,
        /// The path within it.
        path: PathBuf,
    },
    /// The directory exists already. What is there stays as it is.
    #[error("{bin_dir} is published already")]
    AlreadyPublished {
        /// The build's directory.
        bin_dir: BinDir,
    },
    /// A complete build could not be made visible.
    #[error("cannot publish {bin_dir}")]
    Publish {
        /// The build's directory.
        bin_dir: BinDir,
        /// Why.
        source: io::Error,
    },
    /// A file that may exist cannot be opened.
    #[error("cannot open {file} of {bin_dir}")]
    Open {
        /// The build's directory.
        bin_dir: BinDir,
        /// The file.
        file: FileName,
        /// Why.
        source: io::Error,
    },
    /// A build's files could not be deleted, or not all of them.
    #[error("cannot remove {bin_dir}")]
    Remove {
        /// The build's directory.
        bin_dir: BinDir,
        /// Why.
        source: io::Error,
    },
    /// The store cannot be looked through.
    #[error("cannot list the store {place}")]
    List {
        /// `<public_path>/store` or `s3://<s3_bucket>/<s3_prefix>`.
        place: String,
        /// Why.
        source: io::Error,
    },
    /// Nothing can be written. Told to everybody who asks `/ready`, so it names the setting and not the path.
    #[error("the store below public_path is not writable")]
    NotWritable {
        /// Why.
        source: io::Error,
    },
    /// The settings lead to no bucket.
    #[error("the settings of the bucket cannot be used")]
    Configure {
        /// Why.
        source: io::Error,
    },
    /// The bucket is away, or does not let us. Told to everybody who asks `/ready`, so it names the setting alone.
    #[error("the bucket of s3_bucket cannot be {what}")]
    Unusable {
        /// What was tried: `read` or `written`.
        what: &'static str,
        /// Why.
        source: io::Error,
    },
    /// There is less free space than `store_min_free`.
    #[error("the store has {free} bytes free, which is less than store_min_free, {}", floor.get())]
    LowSpace {
        /// Bytes that are free.
        free: u64,
        /// The setting.
        floor: ByteSize,
    },
}

impl StoreError {
    /// True if it failed because the disk, or the share of it that is ours, is full.
    pub fn is_full(&self) -> bool {
        match self {
            Self::LowSpace { .. } => true,
            Self::NotAFile { .. } | Self::AlreadyPublished { .. } => false,
            Self::Create { source, .. }
            | Self::Stage { source, .. }
            | Self::Publish { source, .. }
            | Self::Open { source, .. }
            | Self::Remove { source, .. }
            | Self::List { source, .. }
            | Self::Configure { source }
            | Self::Unusable { what: _, source }
            | Self::NotWritable { source } => {
                matches!(Errno::from_io_error(source), Some(Errno::NOSPC | Errno::DQUOT))
            }
        }
    }
}
