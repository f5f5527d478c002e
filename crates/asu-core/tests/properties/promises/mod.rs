//! What holds of every input of a parser, a file for each. The fuzz targets in `fuzz/` include the same files.

pub(crate) mod built_profiles;
pub(crate) mod document_path;
pub(crate) mod feeds;
pub(crate) mod index_file;
pub(crate) mod make_info;
pub(crate) mod manifest;
pub(crate) mod package_errors;
pub(crate) mod packages_text;
pub(crate) mod repository;
pub(crate) mod request;
pub(crate) mod sha256_sums;
pub(crate) mod target_metadata;
pub(crate) mod usign;
