//! What holds of every input of the parsers, tried on generated inputs and on the seeds of the fuzz targets.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod document_paths;
mod imagebuilder_output;
mod inputs;
mod promises;
mod repositories;
mod requests;
mod signatures;
mod upstream_files;
