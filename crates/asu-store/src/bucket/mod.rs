//! The store in a bucket of a server that speaks S3.
//!
//! `<prefix>/<bin_dir>/<file>`, and beside the files an object that says which they are, uploaded when all of them have
//! been: a build without it is not there. A worker stages a build on its own disk and uploads it from there.

mod bucket_store;
mod client;
mod error;
mod listing;
mod marker;
mod probe;
mod seen;
mod source;
mod upload;
mod url;

pub(crate) use bucket_store::BucketStore;
