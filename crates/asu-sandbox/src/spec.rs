//! What a sandbox is made of.

use std::{collections::BTreeMap, time::Duration};

use asu_config::ByteSize;

use crate::{
    config::Config,
    image::ImageId,
    wire::{self, Create},
};

/// The period of CPU quotas in microseconds.
const CPU_PERIOD: u64 = 100_000;

/// Nothing runs but what is asked for later. Whoever is process 1 inherits orphans; ignoring their end is how the kernel
/// is told to bury them, otherwise they count as processes for ever. Every ImageBuilder needs bash; a plainer shell
/// forgets what it ignores.
const IDLE: [&str; 3] = ["bash", "-c", "trap '' CHLD; exec sleep infinity"];

/// What a sandbox may talk to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Network {
    /// Nothing at all.
    None,
    /// The network of this name.
    Named(String),
}

/// A description of a sandbox, made by [`Podman::spec`](crate::Podman::spec) with the limits of the settings. Every
/// sandbox is without capabilities, cannot gain privileges, and ends by itself after its lifetime.
#[derive(Debug, Clone)]
pub struct SandboxSpec {
    pub(crate) image: ImageId,
    pub(crate) name: String,
    lifetime: Duration,
    labels: BTreeMap<String, String>,
    env: BTreeMap<String, String>,
    network: Network,
    user: Option<String>,
    workdir: Option<String>,
    tmpfs: Vec<(String, ByteSize)>,
    memory: ByteSize,
    pids: u32,
    cpus: f64,
    open_files: u64,
    file_size: ByteSize,
    user_processes: u64,
}

impl SandboxSpec {
    pub(crate) fn new(image: ImageId, name: &str, lifetime: Duration, config: &Config) -> Self {
        Self {
            image,
            // A creation whose answer is lost is undone by name, which must not be anybody else's.
            name: format!("{name}-{:016x}", rand::random::<u64>()),
            lifetime,
            labels: BTreeMap::new(),
            env: BTreeMap::new(),
            network: Network::Named(config.build_network.clone()),
            user: None,
            workdir: None,
            tmpfs: Vec::new(),
            memory: config.container_memory,
            pids: config.container_pids,
            cpus: config.container_cpus,
            open_files: config.container_open_files,
            file_size: config.container_max_file_size,
            user_processes: config.container_user_processes,
        }
    }

    /// Adds a label.
    #[must_use]
    pub fn label(mut self, key: &str, value: &str) -> Self {
        self.labels.insert(key.to_owned(), value.to_owned());
        self
    }

    /// Sets an environment variable of everything that runs in the sandbox.
    #[must_use]
    pub fn env(mut self, key: &str, value: &str) -> Self {
        self.env.insert(key.to_owned(), value.to_owned());
        self
    }

    /// Another network than that of the settings, or none.
    #[must_use]
    pub fn network(mut self, network: Network) -> Self {
        self.network = network;
        self
    }

    /// The user of commands; otherwise the image's.
    #[must_use]
    pub fn user(mut self, user: &str) -> Self {
        self.user = Some(user.to_owned());
        self
    }

    /// The working directory of commands; otherwise the image's.
    #[must_use]
    pub fn workdir(mut self, directory: &str) -> Self {
        self.workdir = Some(directory.to_owned());
        self
    }

    /// Mounts a directory that never reaches a disk; what is in it counts as the sandbox's memory.
    #[must_use]
    pub fn tmpfs(mut self, directory: &str, size: ByteSize) -> Self {
        self.tmpfs.push((directory.to_owned(), size));
        self
    }

    /// Another memory limit than that of the settings.
    #[must_use]
    pub fn memory(mut self, memory: ByteSize) -> Self {
        self.memory = memory;
        self
    }

    /// Another limit of processes and threads than that of the settings.
    #[must_use]
    pub fn pids(mut self, pids: u32) -> Self {
        self.pids = pids;
        self
    }

    /// Another number of CPUs than that of the settings; 0 means all of them.
    #[must_use]
    pub fn cpus(mut self, cpus: f64) -> Self {
        self.cpus = cpus;
        self
    }

    /// Another limit for a single file than that of the settings.
    #[must_use]
    pub fn file_size(mut self, size: ByteSize) -> Self {
        self.file_size = size;
        self
    }

    pub(crate) fn memory_limit(&self) -> ByteSize {
        self.memory
    }

    pub(crate) fn to_wire(&self) -> Create<'_> {
        let (nsmode, networks) = match &self.network {
            Network::None => ("none", BTreeMap::new()),
            Network::Named(name) => ("bridge", BTreeMap::from([(name.as_str(), wire::Empty {})])),
        };
        Create {
            image: self.image.as_str(),
            name: &self.name,
            entrypoint: [],
            command: IDLE,
            labels: &self.labels,
            env: &self.env,
            cap_drop: ["all"],
            no_new_privileges: true,
            privileged: false,
            netns: wire::Namespace { nsmode },
            networks,
            resource_limits: self.resources(),
            r_limits: self.r_limits(),
            mounts: self.tmpfs.iter().map(|(directory, size)| tmpfs(directory, *size)).collect(),
            // What an image declares to be a volume would be left out of a commit, and copied for each container.
            image_volume_mode: "ignore",
            user: self.user.as_deref(),
            work_dir: self.workdir.as_deref(),
            // Otherwise a program that writes to the output of process 1 fills the disk of the machine.
            log_configuration: wire::LogConfiguration { driver: "none" },
            // When its owner has died, Podman ends the container after its lifetime and removes it.
            remove: true,
            timeout: self.lifetime.as_secs().max(1),
            // There is nothing in it that could end in an orderly way.
            stop_timeout: 0,
        }
    }

    fn resources(&self) -> wire::Resources {
        // The cast saturates, and Podman refuses what is too much.
        let quota = (self.cpus * CPU_PERIOD as f64) as i64;
        let cpu = (self.cpus > 0.0).then_some(wire::Cpu { quota, period: CPU_PERIOD });
        let bytes = self.memory.get();
        let memory = (bytes > 0).then_some(wire::Memory { limit: bytes, swap: bytes });
        let pids = (self.pids > 0).then_some(wire::Pids { limit: self.pids });
        wire::Resources { memory, pids, cpu }
    }

    /// Podman's API applies its own defaults, which lie above what many machines allow: the container does not start.
    fn r_limits(&self) -> Vec<wire::RLimit> {
        [("nofile", self.open_files), ("nproc", self.user_processes), ("fsize", self.file_size.get()), ("core", 0)]
            .map(|(kind, limit)| wire::RLimit { kind, soft: limit, hard: limit })
            .into()
    }
}

fn tmpfs(directory: &str, size: ByteSize) -> wire::Mount<'_> {
    let options = vec![format!("size={}", size.get()), "mode=1777".to_owned(), "nosuid".to_owned(), "nodev".to_owned()];
    wire::Mount { destination: directory, kind: "tmpfs", source: "tmpfs", options }
}
