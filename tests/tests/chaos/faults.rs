//! What can be done to a server, and how it is undone.

use std::time::Duration;

use asu_test_support::{Behaviour, DoorState, Surroundings};
use rand::{RngExt, rngs::StdRng, seq::SliceRandom};
use rustix::process::Signal;
use tokio::{task::block_in_place, time::sleep};

use crate::{
    clock,
    history::Hurts,
    observer::PREFIX,
    plan::Plan,
    resp::Resp,
    scene::{LEASE_MS, Scene},
};

/// One kind of trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    WorkerKilled,
    WorkerEnded,
    WorkerPaused,
    BuildKilled,
    BuildEnded,
    PrepareKilled,
    PrepareEnded,
    RedisKilled,
    RedisRestarted,
    RedisHangs,
    RedisFull,
    RedisReadOnly,
    PodmanKilled,
    PodmanHangs,
    ContainersKilled,
    RegistryAway,
    UpstreamSlow,
    UpstreamBroken,
    UpstreamAway,
    DiskFull,
    ClockJumps,
    NginxReloaded,
    RollingRestart,
    EverythingKilled,
}

impl Fault {
    pub(crate) const ALL: [Self; 24] = [
        Self::WorkerKilled,
        Self::WorkerEnded,
        Self::WorkerPaused,
        Self::BuildKilled,
        Self::BuildEnded,
        Self::PrepareKilled,
        Self::PrepareEnded,
        Self::RedisKilled,
        Self::RedisRestarted,
        Self::RedisHangs,
        Self::RedisFull,
        Self::RedisReadOnly,
        Self::PodmanKilled,
        Self::PodmanHangs,
        Self::ContainersKilled,
        Self::RegistryAway,
        Self::UpstreamSlow,
        Self::UpstreamBroken,
        Self::UpstreamAway,
        Self::DiskFull,
        Self::ClockJumps,
        Self::NginxReloaded,
        Self::RollingRestart,
        Self::EverythingKilled,
    ];

    /// All of them in an order of chance, those that this machine allows.
    pub(crate) fn shuffled(scene: &Scene, plan: &Plan, random: &mut StdRng) -> Vec<Self> {
        let wanted = |fault: &Self| fault.is_possible(scene) && fault.name().contains(&plan.only);
        let mut faults: Vec<_> = Self::ALL.into_iter().filter(wanted).collect();
        faults.shuffle(random);
        faults
    }

    fn is_possible(self, scene: &Scene) -> bool {
        match self {
            Self::DiskFull => scene.disk.can_be_filled(),
            Self::ClockJumps => scene.clock.is_some(),
            _ => true,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::WorkerKilled => "worker SIGKILL",
            Self::WorkerEnded => "worker SIGTERM",
            Self::WorkerPaused => "worker SIGSTOP longer than its lease",
            Self::BuildKilled => "asu-build SIGKILL",
            Self::BuildEnded => "asu-build SIGTERM",
            Self::PrepareKilled => "asu-prepare SIGKILL",
            Self::PrepareEnded => "asu-prepare SIGTERM",
            Self::RedisKilled => "Redis SIGKILL",
            Self::RedisRestarted => "Redis restarted",
            Self::RedisHangs => "Redis hangs",
            Self::RedisFull => "Redis out of memory",
            Self::RedisReadOnly => "Redis read-only",
            Self::PodmanKilled => "Podman service SIGKILL",
            Self::PodmanHangs => "Podman service hangs",
            Self::ContainersKilled => "containers killed",
            Self::RegistryAway => "registry away",
            Self::UpstreamSlow => "upstream slow",
            Self::UpstreamBroken => "upstream broken",
            Self::UpstreamAway => "upstream away",
            Self::DiskFull => "disk full",
            Self::ClockJumps => "clock jumps",
            Self::NginxReloaded => "nginx reloaded",
            Self::RollingRestart => "rolling restart of everything",
            Self::EverythingKilled => "everything SIGKILL",
        }
    }

    /// What clients may notice of it. Whatever is not named here must stay hidden from them.
    pub(crate) fn hurts(self) -> Hurts {
        let nothing = Hurts::default();
        match self {
            Self::BuildKilled | Self::BuildEnded | Self::PrepareKilled | Self::PrepareEnded => {
                Hurts { api: true, ..nothing }
            }
            Self::WorkerKilled | Self::WorkerEnded | Self::WorkerPaused => Hurts { worker: true, ..nothing },
            Self::RedisKilled => Hurts { dependency: true, memory: true, worker: true, ..nothing },
            Self::RedisRestarted | Self::RedisHangs | Self::RedisFull | Self::RedisReadOnly => {
                Hurts { dependency: true, worker: true, ..nothing }
            }
            Self::UpstreamSlow | Self::UpstreamBroken | Self::UpstreamAway => Hurts { dependency: true, ..nothing },
            Self::RollingRestart => Hurts { api: true, worker: true, ..nothing },
            Self::EverythingKilled => Hurts { api: true, dependency: true, memory: true, worker: true, ..nothing },
            Self::DiskFull => Hurts { evicts: true, ..nothing },
            Self::PodmanKilled
            | Self::PodmanHangs
            | Self::ContainersKilled
            | Self::RegistryAway
            | Self::ClockJumps
            | Self::NginxReloaded => nothing,
        }
    }

    /// Makes the trouble, lets it last and ends it, as a supervisor or an operator would.
    pub(crate) async fn strike(self, scene: &mut Scene, random: &mut StdRng) {
        let away = Duration::from_millis(random.random_range(200..2000));
        let lasting = Duration::from_millis(random.random_range(1500..3500));
        let (one, three) = (random.random_range(0..2), random.random_range(0..3));
        match self {
            Self::WorkerKilled => {
                scene.is_building(three).await;
                scene.workers[three].crash(away).await;
            }
            Self::WorkerEnded => scene.workers[three].restart(away).await,
            Self::WorkerPaused => pause_worker(scene, three).await,
            Self::BuildKilled => scene.build[one].crash(away).await,
            Self::BuildEnded => scene.build[one].restart(away).await,
            Self::PrepareKilled => scene.prepare[one].crash(away).await,
            Self::PrepareEnded => scene.prepare[one].restart(away).await,
            Self::RedisKilled => {
                scene.redis.kill().await;
                sleep(away).await;
                scene.redis.start_again().await;
            }
            Self::RedisRestarted => {
                scene.redis.stop().await;
                sleep(away).await;
                scene.redis.start_again().await;
            }
            Self::RedisHangs => {
                scene.redis.pause();
                sleep(lasting).await;
                scene.redis.resume();
            }
            Self::RedisFull => set_redis(scene, "maxmemory", "1mb", "0", lasting).await,
            Self::RedisReadOnly => set_redis(scene, "min-replicas-to-write", "1", "0", lasting).await,
            Self::PodmanKilled => {
                scene.podman.kill();
                sleep(away).await;
                scene.podman.restart().await;
            }
            Self::PodmanHangs => {
                scene.podman.hang();
                sleep(lasting * 2).await;
                scene.podman.resume();
            }
            Self::ContainersKilled => kill_containers(scene),
            Self::RegistryAway => {
                for state in [DoorState::Closed, DoorState::Status(503), DoorState::Open] {
                    scene.registry.set(state);
                    sleep(lasting).await;
                }
            }
            Self::UpstreamSlow => behave(scene, Behaviour::Delay(away), lasting).await,
            Self::UpstreamBroken => behave(scene, Behaviour::Garbage, lasting).await,
            Self::UpstreamAway => {
                scene.upstream.go_away().await;
                sleep(lasting).await;
                scene.upstream.come_back().await;
            }
            Self::DiskFull => {
                block_in_place(|| scene.disk.fill());
                sleep(lasting * 2).await;
                scene.disk.empty();
            }
            Self::ClockJumps => jump(scene).await,
            Self::NginxReloaded => scene.nginx.reload(),
            Self::RollingRestart => {
                for actor in scene.actors_mut() {
                    actor.restart(Duration::ZERO).await;
                }
            }
            Self::EverythingKilled => kill_everything(scene, away).await,
        }
    }
}

/// Longer than its lease, and until another one has its build: then two are at it, and one of them does not know.
async fn pause_worker(scene: &mut Scene, worker: usize) {
    scene.is_building(worker).await;
    scene.workers[worker].signal(Signal::STOP);
    let mut redis = Resp::new(scene.redis.port());
    let own = format!("{}-{worker}-", scene.name);
    let held = held(&mut redis, &own).await;
    sleep(Duration::from_millis(LEASE_MS + 200)).await;
    for _ in 0..200 {
        let now = held_of(&mut redis, &held).await;
        if !now.starts_with(&own) && !now.is_empty() {
            break;
        }
        sleep(Duration::from_millis(50)).await;
    }
    scene.workers[worker].signal(Signal::CONT);
}

/// The build that a worker of this name holds; empty if there is none.
async fn held(redis: &mut Resp, name: &str) -> String {
    let running = redis.ask(&["ZRANGE", &format!("{PREFIX}running"), "0", "-1"]).await.unwrap().texts();
    for hash in running {
        if held_of(redis, &hash).await.starts_with(name) {
            return hash;
        }
    }
    String::new()
}

/// Who holds a build; empty if nobody does.
async fn held_of(redis: &mut Resp, hash: &str) -> String {
    redis.ask(&["HGET", &format!("{PREFIX}b:{hash}"), "worker"]).await.unwrap().text()
}

async fn set_redis(scene: &Scene, key: &str, bad: &str, good: &str, lasting: Duration) {
    let mut redis = Resp::new(scene.redis.port());
    redis.ask(&["CONFIG", "SET", key, bad]).await.unwrap();
    sleep(lasting).await;
    redis.ask(&["CONFIG", "SET", key, good]).await.unwrap();
    redis.ask(&["EXISTS", PREFIX]).await.unwrap();
}

async fn behave(scene: &Scene, behaviour: Behaviour, lasting: Duration) {
    scene.upstream.set_everywhere(behaviour);
    sleep(lasting).await;
    scene.upstream.behave();
}

/// By somebody who does not know what they are; of this run only.
fn kill_containers(scene: &Scene) {
    let names = scene.containers();
    if !names.is_empty() {
        let mut podman = Surroundings::get().podman();
        podman.arg("kill").args(names);
        // Some have ended by now.
        block_in_place(|| podman.output().unwrap());
    }
}

async fn jump(scene: &Scene) {
    let file = scene.clock.clone().expect("it is only chosen where it can be done");
    for seconds in [3600, -3600, 0] {
        clock::set(&file, seconds);
        sleep(Duration::from_millis(1500)).await;
    }
}

async fn kill_everything(scene: &mut Scene, away: Duration) {
    scene.redis.kill().await;
    for actor in scene.actors_mut() {
        actor.kill();
    }
    scene.podman.kill();
    sleep(away).await;
    scene.podman.restart().await;
    scene.redis.start_again().await;
    for actor in scene.actors_mut() {
        actor.run();
    }
}
