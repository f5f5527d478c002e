//! `asu serve`, without builds: those are tested end to end.

use std::{fs, path::Path, time::Duration};

use asu_test_support::{FakeUpstream, RedisServer, Surroundings};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use serde_json::Value;
use tempfile::tempdir;
use tokio::time::{sleep, timeout};

use crate::process::{LONGEST, Server, run};

fn redis_pid(public_path: &Path) -> Option<Pid> {
    Pid::from_raw(fs::read_to_string(public_path.join("redis/redis.pid")).ok()?.trim().parse().ok()?)
}

/// A zombie whose parent is gone is nobody's; what matters is that it no longer runs.
fn runs(pid: Pid) -> bool {
    test_kill_process(pid).is_ok()
        && !fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero())).unwrap_or_default().is_empty()
}

async fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let waited = timeout(LONGEST, async {
        while !condition() {
            sleep(Duration::from_millis(10)).await;
        }
    });
    waited.await.unwrap_or_else(|_| panic!("not in time: {what}"));
}

async fn ready(server: &Server) -> Value {
    serde_json::from_str(&server.wait_for("/ready").await.text().await.unwrap()).unwrap()
}

#[tokio::test]
async fn it_serves_everything_on_one_port_and_takes_its_redis_along() {
    let (public, upstream) = (tempdir().unwrap(), FakeUpstream::start().await);
    let socket = Surroundings::get().podman_socket.to_str().unwrap();
    let settings = [("UPSTREAM_URL", upstream.url()), ("PODMAN_SOCKET", socket.to_owned())];
    let settings: Vec<_> = settings.iter().map(|(key, value)| (*key, value.as_str())).collect();
    let server = Server::start(public.path(), &settings).await.unwrap();
    assert_eq!(server.wait_for("/health").await.status(), 200);
    let redis = redis_pid(public.path()).unwrap();
    let ready = ready(&server).await;
    assert_eq!(ready["dependencies"]["redis"]["status"], "ok", "{ready}");
    assert_eq!(server.wait_for("/api/v1/build/abc").await.status(), 404);
    let prepare = reqwest::Client::new().post(format!("http://{}/api/v1/build/prepare", server.address));
    assert_eq!(prepare.body("[]").send().await.unwrap().status(), 422);
    let (code, _, stderr) = run(&["healthcheck", "--listen", &server.address], &[]).await;
    assert_eq!((code, stderr.as_str()), (0, ""));
    let ended = server.stop().await;
    assert_eq!(ended.code, 0, "{}", ended.log);
    assert!(!runs(redis), "Redis is still there");
}

#[tokio::test]
async fn a_server_that_is_killed_takes_its_redis_along() {
    let public = tempdir().unwrap();
    let server = Server::start(public.path(), &[]).await.unwrap();
    server.wait_for("/health").await;
    let redis = redis_pid(public.path()).unwrap();
    server.signal(Signal::KILL);
    wait_until("Redis ends", || !runs(redis)).await;
}

#[tokio::test]
async fn a_redis_that_dies_is_started_again() {
    let public = tempdir().unwrap();
    let server = Server::start(public.path(), &[]).await.unwrap();
    server.wait_for("/health").await;
    let first = redis_pid(public.path()).unwrap();
    kill_process(first, Signal::KILL).unwrap();
    wait_until("another Redis", || redis_pid(public.path()).is_some_and(|pid| pid != first)).await;
    let answered = timeout(LONGEST, async {
        while ready(&server).await["dependencies"]["redis"]["status"] != "ok" {
            sleep(Duration::from_millis(50)).await;
        }
    });
    answered.await.expect("redis is ok again");
    let ended = server.stop().await;
    assert_eq!(ended.log.matches("the private redis-server ended").count(), 1, "{}", ended.log);
}

#[tokio::test]
async fn a_redis_that_is_named_is_used() {
    let (public, redis) = (tempdir().unwrap(), RedisServer::start().await);
    let server = Server::start(public.path(), &[("REDIS_URL", &redis.url())]).await.unwrap();
    assert_eq!(ready(&server).await["dependencies"]["redis"]["status"], "ok");
    assert_eq!(redis_pid(public.path()), None);
    server.stop().await;
}

#[tokio::test]
async fn what_keeps_it_from_starting_is_said_in_a_sentence() {
    let public = tempdir().unwrap();
    let server = Server::start(public.path(), &[]).await.unwrap();
    server.wait_for("/health").await;
    let same_data = Server::start(public.path(), &[]).await.unwrap().wait().await;
    assert!(same_data.code == 1 && same_data.log.contains("need a data_path each"), "{same_data:?}");
    let (code, _, stderr) = run(&["serve", "--listen", &server.address], &[]).await;
    assert!(code == 1 && stderr.contains("cannot listen on"), "{stderr}");
    let settings =
        [("PATH", "/nonexistent"), ("PUBLIC_PATH", public.path().to_str().unwrap()), ("LISTEN", "127.0.0.1:0")];
    let (code, _, stderr) = run(&["serve"], &settings).await;
    assert!(code == 1 && stderr.contains("neither redis-server nor valkey-server"), "{stderr}");
    let (code, _, stderr) = run(&["serve"], &[("LEASE", "1s")]).await;
    assert!(code == 1 && stderr.contains("lease must be"), "{stderr}");
    server.stop().await;
}
