//! The client: asks a server what would become of a request, has it built, and fetches the images.

mod answer;
mod api;
mod ask;
mod build;
mod changes;
mod confirm;
mod download;
mod error;
mod follow;
mod image;
mod image_name;
mod options;
mod part_file;
mod patience;
mod prepare;
mod prepared;
mod progress;
mod report;
mod request_options;
mod run;
mod server_url;

pub(crate) use options::{BuildOptions, PrepareOptions};
pub(crate) use run::{run_build, run_prepare};

/// What the server's statistics and logs know us as.
const CLIENT: &str = concat!("asu/", env!("CARGO_PKG_VERSION"));
