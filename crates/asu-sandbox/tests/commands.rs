//! Commands: their exit codes, their output, and what they are given.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use asu_sandbox::{Captured, Command, Outcome, OutputStream};
use common::{Bench, LIMITS, bash, stdout};
use futures::future::join_all;
use tokio::sync::oneshot;

#[tokio::test]
async fn a_command_ends_with_its_code_and_both_outputs_apart() {
    let bench = Bench::new().await;
    let sandbox = bench.start().await;
    let mut output = Captured::default();
    let outcome = sandbox.exec(&bash("echo out; echo err >&2; echo more; exit 7"), &mut output).await.unwrap();
    assert_eq!(outcome, Outcome::Exit { code: 7 });
    assert_eq!(output, Captured { stdout: b"out\nmore\n".to_vec(), stderr: b"err\n".to_vec() });
    sandbox.remove().await.unwrap();
    assert_eq!(bench.containers().await, Vec::<String>::new());
    bench.assert_clean().await;
}

#[tokio::test]
async fn output_is_handed_out_while_the_command_runs() {
    let bench = Bench::new().await;
    let sandbox = bench.start().await;
    let (sender, first_is_heard) = oneshot::channel();
    let (mut heard, mut sender) = (Vec::new(), Some(sender));
    let mut output = |stream: OutputStream, bytes: &[u8]| {
        heard.push((stream, bytes.to_vec()));
        sender.take().map(|sender| sender.send(()));
    };
    // It says no more until somebody has heard the first word.
    let command = bash("echo first; until [ -e /tmp/heard ]; do sleep 0.1; done; echo second >&2");
    let (outcome, ()) = tokio::join!(sandbox.exec(&command, &mut output), async {
        first_is_heard.await.unwrap();
        stdout(&sandbox, "touch /tmp/heard").await;
    });
    assert_eq!(outcome.unwrap(), Outcome::Exit { code: 0 });
    let said: Vec<_> = heard.iter().map(|(stream, bytes)| (*stream, &bytes[..])).collect();
    assert_eq!(said, [(OutputStream::Stdout, &b"first\n"[..]), (OutputStream::Stderr, &b"second\n"[..])]);
    drop(sandbox);
    bench.assert_clean().await;
}

#[tokio::test]
async fn all_of_a_large_output_arrives() {
    let bench = Bench::new().await;
    let sandbox = bench.start().await;
    let (mut out, mut err) = (0, 0);
    let mut output = |stream: OutputStream, bytes: &[u8]| match stream {
        OutputStream::Stdout => out += bytes.len(),
        OutputStream::Stderr => err += bytes.len(),
    };
    let script = "head -c 20000000 /dev/zero & head -c 3000000 /dev/zero >&2; wait";
    assert_eq!(sandbox.exec(&bash(script), &mut output).await.unwrap(), Outcome::Exit { code: 0 });
    assert_eq!((out, err), (20_000_000, 3_000_000));
    drop(sandbox);
    bench.assert_clean().await;
}

#[tokio::test]
async fn a_program_that_is_missing_is_code_127() {
    let bench = Bench::new().await;
    let sandbox = bench.start().await;
    let command = Command::new("/no/such/program", [""; 0], LIMITS);
    let outcome = sandbox.exec(&command, &mut Captured::default()).await.unwrap();
    assert_eq!(outcome, Outcome::Exit { code: 127 });
    drop(sandbox);
    bench.assert_clean().await;
}

#[tokio::test]
async fn arguments_and_variables_are_not_interpreted() {
    let bench = Bench::new().await;
    let sandbox =
        bench.podman.start(bench.spec().env("FROM_SPEC", "a b").workdir("/tmp").user("buildbot")).await.unwrap();
    let text = "$(id) `id` ; | & 'x' \"y\" \\n ä";
    let command = Command::new("printf", ["%s|", text, "", "two  words"], LIMITS);
    let mut output = Captured::default();
    assert_eq!(sandbox.exec(&command, &mut output).await.unwrap(), Outcome::Exit { code: 0 });
    assert_eq!(String::from_utf8(output.stdout).unwrap(), format!("{text}||two  words|"));
    let command = bash("echo \"$FROM_SPEC,$FROM_COMMAND,$PWD,$(id -u)\"").env("FROM_COMMAND", text).workdir("/usr");
    let mut output = Captured::default();
    sandbox.exec(&command, &mut output).await.unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), format!("a b,{text},/usr,1000\n"));
    assert_eq!(stdout(&sandbox, "pwd").await, "/tmp\n");
    let mut output = Captured::default();
    sandbox.exec(&bash("id -u").user("root"), &mut output).await.unwrap();
    assert_eq!(output.stdout, b"0\n");
    drop(sandbox);
    bench.assert_clean().await;
}

#[tokio::test]
async fn what_a_command_leaves_running_does_not_keep_it() {
    let bench = Bench::new().await;
    let sandbox = bench.start().await;
    // Whoever waited for the child would run into the limit of time first.
    let outcome = sandbox.exec(&bash("setsid sleep 200 & exit 3"), &mut Captured::default()).await.unwrap();
    assert_eq!(outcome, Outcome::Exit { code: 3 });
    drop(sandbox);
    bench.assert_clean().await;
}

#[tokio::test]
async fn a_silent_command_that_closed_its_outputs_is_waited_for() {
    let bench = Bench::new().await;
    let sandbox = bench.start().await;
    let script = "exec >&- 2>&-; sleep 5; exit 4";
    let outcome = sandbox.exec(&bash(script), &mut Captured::default()).await.unwrap();
    assert_eq!(outcome, Outcome::Exit { code: 4 });
    drop(sandbox);
    bench.assert_clean().await;
}

#[tokio::test]
async fn commands_run_side_by_side() {
    let bench = Bench::new().await;
    let sandbox = bench.start().await;
    let outcomes = join_all((0..8).map(async |n| {
        let mut output = Captured::default();
        let outcome = sandbox.exec(&bash(&format!("echo {n}; exit {n}")), &mut output).await.unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), format!("{n}\n"));
        outcome
    }));
    assert_eq!(outcomes.await, (0..8).map(|code| Outcome::Exit { code }).collect::<Vec<_>>());
    drop(sandbox);
    bench.assert_clean().await;
}
