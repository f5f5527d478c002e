//! What a command may not do, and how that is told apart.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::time::{Duration, Instant};

use asu_config::ByteSize;
use asu_sandbox::{Captured, CommandFailure, CommandLimits, Outcome, OutputStream, Sandbox, SandboxError};
use common::{Bench, LIMITS, bash, bash_within, failure, stdout, until};

const SECOND: Duration = Duration::from_secs(1);
const HOG: &str = "python3 -c 'x = bytearray(400 << 20)'";

#[tokio::test]
async fn a_command_that_runs_too_long_is_stopped_with_its_container() {
    let bench = Bench::new().await;
    let sandbox = bench.start().await;
    let limits = CommandLimits { time: SECOND, ..LIMITS };
    let start = Instant::now();
    let command = bash_within("trap '' TERM; while sleep 0.1; do echo still here; done", limits);
    assert_eq!(failure(&sandbox, &command).await, CommandFailure::TimedOut { limit: SECOND });
    assert!(start.elapsed() >= SECOND, "{:?}", start.elapsed());
    until("Podman removes the killed container by itself", async || bench.containers().await.is_empty()).await;
    let error = sandbox.exec(&bash("true"), &mut Captured::default()).await.unwrap_err();
    assert!(matches!(error, SandboxError::ContainerGone { .. }), "{error:?}");
    drop(sandbox);
    bench.assert_clean().await;
}

#[tokio::test]
async fn a_command_that_never_stops_printing_runs_into_its_time_limit() {
    let bench = Bench::new().await;
    let sandbox = bench.start().await;
    let limits = CommandLimits { time: SECOND, output: u64::MAX, ..LIMITS };
    assert_eq!(failure(&sandbox, &bash_within("yes", limits)).await, CommandFailure::TimedOut { limit: SECOND });
    drop(sandbox);
    bench.assert_clean().await;
}

#[tokio::test]
async fn a_command_that_says_nothing_is_stopped_but_not_one_that_talks() {
    let bench = Bench::new().await;
    let sandbox = bench.start().await;
    let limits = CommandLimits { silence: 6 * SECOND, ..LIMITS };
    let mut output = Captured::default();
    let talking = bash_within("for i in {1..8}; do sleep 1; echo $i; done", limits);
    assert_eq!(sandbox.exec(&talking, &mut output).await.unwrap(), Outcome::Exit { code: 0 });
    let silent = bash_within("echo begin; sleep 50", limits);
    let mut output = Captured::default();
    let outcome = sandbox.exec(&silent, &mut output).await.unwrap();
    assert_eq!(outcome, Outcome::Failed(CommandFailure::NoOutput { limit: 6 * SECOND }));
    assert_eq!(output.stdout, b"begin\n");
    drop(sandbox);
    bench.assert_clean().await;
}

#[tokio::test]
async fn a_command_that_prints_too_much_is_stopped_at_the_limit() {
    let bench = Bench::new().await;
    let sandbox = bench.start().await;
    let limits = CommandLimits { output: 100_000, ..LIMITS };
    let mut printed = 0;
    let mut output = |_: OutputStream, bytes: &[u8]| printed += bytes.len();
    let exact = bash_within("head -c 60000 /dev/zero; head -c 40000 /dev/zero >&2", limits);
    assert_eq!(sandbox.exec(&exact, &mut output).await.unwrap(), Outcome::Exit { code: 0 });
    assert_eq!(printed, 100_000);
    let mut printed = 0;
    let mut output = |_: OutputStream, bytes: &[u8]| printed += bytes.len();
    let outcome = sandbox.exec(&bash_within("yes; sleep 50", limits), &mut output).await.unwrap();
    assert_eq!(outcome, Outcome::Failed(CommandFailure::TooMuchOutput { limit: 100_000 }));
    assert_eq!(printed, 100_000);
    drop(sandbox);
    bench.assert_clean().await;
}

#[tokio::test]
async fn a_command_that_needs_too_much_memory_is_told_from_one_that_fails() {
    let bench = Bench::new().await;
    let memory = 64 << 20;
    let sandbox = bench.podman.start(bench.spec().memory(ByteSize::new(memory))).await.unwrap();
    let failed = Outcome::Failed(CommandFailure::OutOfMemory { limit: memory });
    let outcome = async |script: &str| sandbox.exec(&bash(script), &mut Captured::default()).await.unwrap();
    assert_eq!(outcome("exit 137").await, Outcome::Exit { code: 137 });
    assert_eq!(outcome("kill -9 $$").await, Outcome::Exit { code: 137 });
    assert_eq!(outcome(&format!("exec {HOG}")).await, failed, "the command itself is killed");
    assert_eq!(outcome(&format!("{HOG} || exit 2")).await, failed, "a child is killed, the command ends by itself");
    assert_eq!(outcome("exit 2").await, Outcome::Exit { code: 2 }, "what was before is not this command's fault");
    drop(sandbox);
    bench.assert_clean().await;
}

/// How a long command ends when something is done while it runs.
async fn outcome_if_disturbed(sandbox: &Sandbox, disturb: impl Future<Output = ()>) -> Outcome {
    let (sender, started) = tokio::sync::oneshot::channel();
    let mut sender = Some(sender);
    let mut output = |_: OutputStream, _: &[u8]| {
        sender.take().map(|sender| sender.send(()));
    };
    let command = bash("echo begin; sleep 50");
    let (outcome, ()) = tokio::join!(sandbox.exec(&command, &mut output), async {
        started.await.unwrap();
        disturb.await;
    });
    outcome.unwrap()
}

/// Each time: whether the container or its counters are seen to be gone first is a matter of chance.
#[tokio::test]
async fn a_command_whose_container_is_killed_by_others_was_killed() {
    let bench = Bench::new().await;
    let api = podman_api::Podman::unix(&asu_test_support::Surroundings::get().podman_socket);
    for _ in 0..8 {
        let sandbox = bench.start().await;
        let container = api.containers().get(sandbox.name());
        let outcome = outcome_if_disturbed(&sandbox, async { container.kill().await.unwrap() }).await;
        assert_eq!(outcome, Outcome::Failed(CommandFailure::Killed));
        drop(sandbox);
    }
    bench.assert_clean().await;
}

#[tokio::test]
async fn a_command_that_alone_is_killed_tells_its_exit_code() {
    let bench = Bench::new().await;
    let sandbox = bench.start().await;
    let outcome = sandbox.exec(&bash("kill -9 $$"), &mut Captured::default()).await.unwrap();
    assert_eq!(outcome, Outcome::Exit { code: 137 });
    drop(sandbox);
    bench.assert_clean().await;
}

#[tokio::test]
async fn a_sandbox_that_is_killed_ends_its_command_and_may_be_killed_again() {
    let bench = Bench::new().await;
    let sandbox = bench.start().await;
    let outcome = Box::pin(outcome_if_disturbed(&sandbox, async { sandbox.kill().await.unwrap() })).await;
    assert_eq!(outcome, Outcome::Failed(CommandFailure::Killed));
    sandbox.kill().await.unwrap();
    sandbox.remove().await.unwrap();
    bench.assert_clean().await;
}

#[tokio::test]
async fn a_fork_bomb_ends_at_the_limit_of_processes() {
    let bench = Bench::new().await;
    let sandbox = bench.podman.start(bench.spec().pids(50)).await.unwrap();
    let script = "import os, time\nn = 0\ntry:\n  while True:\n    if os.fork() == 0: time.sleep(1); os._exit(0)\n    n += 1\nexcept OSError as e:\n  print(n, e.errno)\n  for _ in range(n): os.wait()";
    let command = asu_sandbox::Command::new("python3", ["-c", script], LIMITS);
    let mut output = Captured::default();
    assert_eq!(sandbox.exec(&command, &mut output).await.unwrap(), Outcome::Exit { code: 0 });
    let printed = String::from_utf8(output.stdout).unwrap();
    let (forked, errno) = printed.trim().split_once(' ').unwrap();
    assert!((40..50).contains(&forked.parse().unwrap()), "{printed}");
    assert_eq!(errno, "11");
    assert_eq!(stdout(&sandbox, "echo alive").await, "alive\n");
    let bomb = bash_within("bomb() { bomb | bomb & }; bomb; sleep 50", CommandLimits { time: 3 * SECOND, ..LIMITS });
    assert_eq!(failure(&sandbox, &bomb).await, CommandFailure::TimedOut { limit: 3 * SECOND });
    drop(sandbox);
    bench.assert_clean().await;
}

#[tokio::test]
async fn no_file_becomes_larger_than_allowed() {
    let bench = Bench::new().await;
    let sandbox = bench.podman.start(bench.spec().file_size(ByteSize::new(1 << 20))).await.unwrap();
    let script = "head -c 3000000 /dev/zero >/tmp/f; stat -c %s /tmp/f";
    assert_eq!(stdout(&sandbox, script).await, "1048576\n");
    drop(sandbox);
    bench.assert_clean().await;
}

#[tokio::test]
async fn orphans_do_not_count_as_processes_when_they_have_ended() {
    let bench = Bench::new().await;
    let sandbox = bench.podman.start(bench.spec().pids(40)).await.unwrap();
    stdout(&sandbox, "for i in {1..20}; do (sleep 0.2 &); done").await;
    let count = "ls -d /proc/[0-9]* | wc -l";
    until("the orphans are gone", async || stdout(&sandbox, count).await.trim().parse::<u32>().unwrap() < 6).await;
    drop(sandbox);
    bench.assert_clean().await;
}

#[tokio::test]
async fn a_command_may_end_like_one_that_could_not_be_started() {
    let bench = Bench::new().await;
    let sandbox = bench.start().await;
    for script in ["exit 125", "echo Warning: mine >&2; exit 125", "echo; echo Error: mine >&2; exit 125"] {
        let outcome = sandbox.exec(&bash(script), &mut Captured::default()).await.unwrap();
        assert_eq!(outcome, Outcome::Exit { code: 125 }, "{script}");
    }
    drop(sandbox);
    bench.assert_clean().await;
}
