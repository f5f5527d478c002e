//! The settings of this crate.

use asu_config::{ByteSize, DurationSetting};
use serde::Deserialize;

/// How Podman is reached and what a container may have.
#[derive(Debug, Clone, Deserialize)]
pub struct Config {
    /// Podman's socket; empty: looked for where Podman puts it.
    pub podman_socket: String,
    /// How long Podman may take to answer a call.
    pub podman_timeout: DurationSetting,
    /// How long Podman may take to carry an archive in or out.
    pub podman_transfer_timeout: DurationSetting,
    /// How long fetching an image may take.
    pub image_pull_timeout: DurationSetting,
    /// The network of containers that may use one.
    pub build_network: String,
    /// The memory of a container; it has no swap. 0 for as much as there is, unless the caller puts in what fits.
    pub container_memory: ByteSize,
    /// The most processes and threads of a container; 0 as above.
    pub container_pids: u32,
    /// The CPUs of a container; 0 as above.
    pub container_cpus: f64,
    /// The most open files of a process.
    pub container_open_files: u64,
    /// The largest file that a process may write.
    pub container_max_file_size: ByteSize,
    /// The most processes of the container's user, counted over the whole machine.
    pub container_user_processes: u64,
}
