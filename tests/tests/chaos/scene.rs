//! Everything that a run is about: two of each service, three workers, nginx, Redis, Podman, upstream, a disk.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use asu_test_support::{DoorState, FakeUpstream, PodmanService, RedisServer, RegistryDoor, Surroundings};
use asu_tests::Settings;
use tempfile::TempDir;
use tokio::{task::block_in_place, time::sleep};

use crate::{actor::Actor, clock, disk::Disk, nginx::Nginx};

/// Of the lease in the settings below.
pub(crate) const LEASE_MS: u64 = 4000;
/// The most builds that wait.
pub(crate) const MOST_PENDING: usize = 12;

/// A running server; all of it ends with this.
pub(crate) struct Scene {
    pub(crate) nginx: Nginx,
    pub(crate) prepare: Vec<Actor>,
    pub(crate) build: Vec<Actor>,
    pub(crate) workers: Vec<Actor>,
    pub(crate) redis: RedisServer,
    pub(crate) podman: PodmanService,
    pub(crate) upstream: FakeUpstream,
    pub(crate) registry: RegistryDoor,
    pub(crate) disk: Disk,
    /// The file by which the last worker's clock jumps.
    pub(crate) clock: Option<PathBuf>,
    /// What the names of its workers begin with.
    pub(crate) name: String,
    _directory: TempDir,
}

impl Scene {
    pub(crate) async fn start() -> Self {
        let surroundings = Surroundings::get();
        let directory = TempDir::new().unwrap();
        let registry = RegistryDoor::new(DoorState::Open).await;
        let podman = PodmanService::with_registry(&registry.registry()).await;
        let redis = RedisServer::start().await;
        let upstream = FakeUpstream::serving(&surroundings.upstream_tree).await;
        let disk = Disk::at(directory.path().join("public"));
        let name = format!("chaos-{:08x}", rand::random::<u32>());
        let settings =
            settings(&registry.base_container(), &redis.url(), &upstream.url(), disk.path(), &podman.socket());
        let here = directory.path();
        let start = |binary| Actor::start(binary, here.to_owned(), &settings);
        let (prepare, build) =
            (vec![start("asu-prepare"), start("asu-prepare")], vec![start("asu-build"), start("asu-build")]);
        let clock = here.join("clock");
        let lies = clock::settings(&clock);
        let worker = |number: usize| {
            let mut settings = settings.clone();
            settings.push(("worker_name".to_owned(), format!("{name}-{number}")));
            if number == 2 {
                settings.extend(lies.clone().unwrap_or_default());
            }
            Actor::start("asu-worker", here.to_owned(), &settings)
        };
        let workers = (0..3).map(worker).collect();
        let addresses = |actors: &[Actor]| actors.iter().map(|actor| actor.address).collect::<Vec<_>>();
        let nginx = block_in_place(|| Nginx::start(&addresses(&prepare), &addresses(&build)));
        let clock = lies.is_some().then_some(clock);
        Self {
            nginx,
            prepare,
            build,
            workers,
            redis,
            podman,
            upstream,
            registry,
            disk,
            clock,
            name,
            _directory: directory,
        }
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.disk.path().join("store")
    }

    pub(crate) fn actors(&self) -> impl Iterator<Item = &Actor> {
        self.prepare.iter().chain(&self.build).chain(&self.workers)
    }

    pub(crate) fn actors_mut(&mut self) -> impl Iterator<Item = &mut Actor> {
        self.prepare.iter_mut().chain(&mut self.build).chain(&mut self.workers)
    }

    /// Waits until this worker has a container, which is soon: then it builds, and to stop it hurts. Not for ever, since it
    /// may be that nothing is to be built.
    pub(crate) async fn is_building(&self, worker: usize) {
        let label = format!("{}-{worker}-", self.name);
        for _ in 0..20 {
            if !self.containers_of(&label).is_empty() {
                return;
            }
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// The containers of this scene's workers, running or not.
    pub(crate) fn containers(&self) -> Vec<String> {
        self.containers_of(&self.name)
    }

    fn containers_of(&self, label: &str) -> Vec<String> {
        let list = ["ps", "--all", "--format", "{{.Names}} {{.Labels}}", "--filter", "label=asu.worker"];
        let output = block_in_place(|| Surroundings::get().podman().args(list).output().unwrap());
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let ours = text.lines().filter(|line| line.contains(label));
        ours.filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        // Nobody else knows the image by the name of this door.
        let image = format!("{}:x86-64-v24.10.4", self.registry.base_container());
        let _ = Surroundings::get().podman().args(["untag", &image, &image]).output();
    }
}

fn settings(base_container: &str, redis: &str, upstream: &str, public: &Path, podman: &Path) -> Settings {
    let settings = [
        ("redis_url", redis),
        ("upstream_url", upstream),
        ("public_path", public.to_str().unwrap()),
        ("podman_socket", podman.to_str().unwrap()),
        ("base_container", base_container),
        // Each build asks the registry whether its image is still the same.
        ("image_pull_interval", "2s"),
        ("allow_defaults", "true"),
        ("log_level", "info"),
        ("lease", "4s"),
        ("redis_timeout", "1s"),
        // Longer than any pause: a worker that wakes has to find out by itself that its build is not its own any more.
        ("podman_timeout", "15s"),
        ("report_timeout", "1m"),
        ("retry_delay", "300ms"),
        ("retry_delay_max", "2s"),
        ("shutdown_grace", "4s"),
        ("upstream_ttl", "5s"),
        ("upstream_timeout", "2s"),
        ("store_min_free", "64MiB"),
        ("max_pending_jobs", "12"),
        ("client_pending_jobs", "0"),
        ("client_builds_per_hour", "0"),
        // Each killed worker is an attempt of the build that it had; what ends its worker each time is another test's.
        ("max_attempts", "1000"),
        ("trusted_proxies", r#"["127.0.0.1"]"#),
    ];
    settings.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}
