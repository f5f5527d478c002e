//! What a sandbox is allowed, as seen from inside.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use asu_config::ByteSize;
use asu_sandbox::{Network, Podman};
use common::{Bench, config, settings, stdout};

#[tokio::test]
async fn a_sandbox_has_no_capabilities_and_cannot_gain_any() {
    let bench = Bench::new().await;
    let sandbox = bench.start().await;
    for user in ["root", "buildbot"] {
        let mut output = asu_sandbox::Captured::default();
        let command = common::bash("grep -E '^(Cap|NoNewPrivs|Seccomp:)' /proc/self/status").user(user);
        sandbox.exec(&command, &mut output).await.unwrap();
        let none = "0000000000000000";
        let expected = format!(
            "CapInh:\t{none}\nCapPrm:\t{none}\nCapEff:\t{none}\nCapBnd:\t{none}\nCapAmb:\t{none}\nNoNewPrivs:\t1\nSeccomp:\t2\n"
        );
        assert_eq!(String::from_utf8(output.stdout).unwrap(), expected, "{user}");
    }
    drop(sandbox);
    bench.assert_clean().await;
}

#[tokio::test]
async fn the_limits_of_a_sandbox_are_seen_inside() {
    let bench = Bench::with(settings().with("container_open_files", 1234)).await;
    let spec = bench.spec().memory(ByteSize::new(100 << 20)).pids(77).cpus(1.5).file_size(ByteSize::new(8 << 20));
    let sandbox = bench.podman.start(spec).await.unwrap();
    let cgroup = stdout(
        &sandbox,
        "cd /sys/fs/cgroup; cat memory.max memory/memory.limit_in_bytes pids.max pids/pids.max 2>/dev/null
         cat cpu.max 2>/dev/null || echo $(cat cpu/cpu.cfs_quota_us cpu/cpu.cfs_period_us)",
    );
    assert_eq!(cgroup.await, "104857600\n77\n150000 100000\n");
    let limits = "for o in n u f c; do for k in S H; do ulimit -$k$o; done; done | tr '\\n' ' '";
    assert_eq!(stdout(&sandbox, limits).await, "1234 1234 4096 4096 8192 8192 0 0 ");
    drop(sandbox);
    bench.assert_clean().await;
}

#[tokio::test]
async fn a_sandbox_has_the_network_it_was_given_or_none() {
    let bench = Bench::new().await;
    bench.podman.ensure_network().await.unwrap();
    let interfaces = "grep -c : /proc/net/dev";
    let sandbox = bench.start().await;
    assert_eq!(stdout(&sandbox, interfaces).await, "2\n");
    let alone = bench.podman.start(bench.spec().network(Network::None)).await.unwrap();
    assert_eq!(stdout(&alone, interfaces).await, "1\n");
    drop((sandbox, alone));
    bench.assert_clean().await;
}

#[tokio::test]
async fn a_directory_in_memory_never_reaches_the_disk() {
    let bench = Bench::new().await;
    let sandbox = bench.podman.start(bench.spec().tmpfs("/keys", ByteSize::new(1 << 20))).await.unwrap();
    let script = "stat -f -c %T /keys; head -c 3000000 /dev/zero >/keys/f; stat -c %s /keys/f";
    assert_eq!(stdout(&sandbox, script).await, "tmpfs\n1048576\n");
    drop(sandbox);
    bench.assert_clean().await;
}

#[tokio::test]
async fn a_missing_network_is_created_once() {
    let bench = Bench::new().await;
    let name = format!("asu-{}", bench.label);
    let podman = Podman::connect(&config(settings().with("build_network", name.as_str()))).unwrap();
    let (first, second) = tokio::join!(podman.ensure_network(), podman.ensure_network());
    first.and(second).unwrap();
    podman.ensure_network().await.unwrap();
    let sandbox = bench.podman.start(bench.spec().network(Network::Named(name.clone()))).await.unwrap();
    sandbox.remove().await.unwrap();
    let api = podman_api::Podman::unix(&asu_test_support::Surroundings::get().podman_socket);
    let network = api.networks().get(name.as_str());
    let inspected = network.inspect().await.unwrap();
    assert_eq!(inspected.dns_enabled, Some(true));
    assert_eq!(inspected.options.unwrap().get("isolate").map(String::as_str), Some("true"));
    assert!(podman.is_build_network_isolated().await.unwrap());
    network.delete().await.unwrap();
    assert!(podman.is_build_network_isolated().await.is_err(), "there is none");
    bench.assert_clean().await;
}

#[tokio::test]
async fn a_network_that_is_not_isolated_is_told_apart() {
    let bench = Bench::new().await;
    let name = format!("asu-{}-open", bench.label);
    let api = podman_api::Podman::unix(&asu_test_support::Surroundings::get().podman_socket);
    let options = podman_api::opts::NetworkCreateOpts::builder().name(&name).driver("bridge").build();
    api.networks().create(&options).await.unwrap();
    let podman = Podman::connect(&config(settings().with("build_network", name.as_str()))).unwrap();
    let is_isolated = podman.is_build_network_isolated().await;
    api.networks().get(name.as_str()).delete().await.unwrap();
    assert!(!is_isolated.unwrap());
}
