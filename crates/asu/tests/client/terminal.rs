//! `asu build` with somebody in front of it.

use std::{
    fs::File,
    io::{Read, Write},
    process::{Command, Stdio},
    thread,
};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use tempfile::tempdir;

use crate::{
    images::{IMAGE, good_server},
    run::build_words,
};

/// Runs the client on a terminal of its own, types an answer as soon as it asks, and gives back what it showed.
fn converse(words: &[&str], answer: &'static [u8]) -> (i32, String) {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap();
    let open = || File::options().read(true).write(true).open(name.to_str().unwrap()).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_asu"));
    command.args(words).env_clear().env("TERM", "xterm");
    let terminal = [open(), open(), open()].map(Stdio::from);
    let [stdin, stdout, stderr] = terminal;
    let mut client = command.stdin(stdin).stdout(stdout).stderr(stderr).spawn().unwrap();
    // The command holds our copies of the terminal; without them the end of the client is the end of what we read.
    drop(command);
    let screen = thread::spawn(move || watch(File::from(master), answer));
    let status = client.wait().unwrap();
    (status.code().unwrap(), screen.join().unwrap())
}

fn watch(mut terminal: File, answer: &[u8]) -> String {
    let mut shown = Vec::new();
    let mut buffer = [0; 4096];
    let mut answered = false;
    while let Ok(count @ 1..) = terminal.read(&mut buffer) {
        shown.extend_from_slice(&buffer[..count]);
        if !answered && String::from_utf8_lossy(&shown).contains("Build this?") {
            terminal.write_all(answer).unwrap();
            answered = true;
        }
    }
    String::from_utf8_lossy(&shown).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_no_builds_nothing() {
    let (server, directory) = (good_server().await, tempdir().unwrap());
    let (code, screen) = converse(&build_words(&server, directory.path(), &[]), b"n\n");
    assert_eq!(code, 2, "{screen}");
    assert!(screen.contains("auc → owut") && screen.contains("declined, nothing was built"), "{screen}");
    assert!(server.seen_of("POST /api/v1/build?").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_yes_builds_and_shows_a_bar() {
    let (server, directory) = (good_server().await, tempdir().unwrap());
    let (code, screen) = converse(&build_words(&server, directory.path(), &[]), b"\n");
    assert_eq!(code, 0, "{screen}");
    assert!(screen.contains("building_image: making the images"), "{screen}");
    assert!(directory.path().join(IMAGE).exists());
}
