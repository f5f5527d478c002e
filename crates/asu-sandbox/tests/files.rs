//! Files into a sandbox and out of it.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::{fs, path::Path};

use asu_sandbox::{ArchiveLimits, ExtractedFile, Files, GetError, Owner, Sandbox, SandboxError};
use common::{Bench, stdout};
use tempfile::TempDir;

const BUILDBOT: Owner = Owner { uid: 1000, gid: 1000 };
const LIMITS: ArchiveLimits = ArchiveLimits { bytes: 1 << 20, entries: 100, depth: 4 };

async fn get(sandbox: &Sandbox, path: &str) -> (TempDir, Result<Vec<ExtractedFile>, GetError>) {
    let directory = TempDir::new().unwrap();
    let result = sandbox.get(path, directory.path(), LIMITS).await;
    (directory, result)
}

#[tokio::test]
async fn files_go_in_with_their_owner_and_come_out_with_their_sums() {
    let bench = Bench::new().await;
    let sandbox = bench.start().await;
    let files = Files::owned_by(BUILDBOT).directory("d", 0o750).unwrap().file("d/script", 0o755, "abc").unwrap();
    let files = files.reader("read", 0o600, 70_000, &[b'r'; 70_000][..]).unwrap();
    sandbox.put("/tmp/in side", files).await.unwrap();
    let seen =
        stdout(&sandbox, "cd '/tmp/in side'; stat -c '%n %U:%G %a %s' d d/script read | sed 's/d [^ ]* 750 .*/&/'");
    let seen = seen.await;
    assert!(seen.starts_with("d buildbot:buildbot 750 "), "{seen}");
    assert!(seen.ends_with("d/script buildbot:buildbot 755 3\nread buildbot:buildbot 600 70000\n"), "{seen}");
    assert_eq!(stdout(&sandbox, "stat -c %U:%a '/tmp/in side'").await, "root:755\n", "Podman made it");
    let (directory, files) = get(&sandbox, "/tmp/in side/").await;
    let files = files.unwrap();
    assert_eq!(
        files.iter().map(|file| (file.path.as_str(), file.size)).collect::<Vec<_>>(),
        [("d/script", 3), ("read", 70_000)]
    );
    assert_eq!(files[0].sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_eq!(fs::read(directory.path().join("read")).unwrap(), [b'r'; 70_000]);
    drop(sandbox);
    bench.assert_clean().await;
}

#[tokio::test]
async fn directories_in_memory_are_filled_as_well() {
    let bench = Bench::new().await;
    let spec = bench.spec().tmpfs("/keys", asu_config::ByteSize::new(1 << 20));
    let sandbox = bench.podman.start(spec).await.unwrap();
    let files = Files::owned_by(BUILDBOT).file("key", 0o400, "secret").unwrap();
    sandbox.put("/keys", files).await.unwrap();
    assert_eq!(
        stdout(&sandbox, "stat -f -c %T /keys/key; stat -c %U:%a /keys/key; cat /keys/key").await,
        "tmpfs\nbuildbot:400\nsecret"
    );
    let (_directory, files) = get(&sandbox, "/keys").await;
    assert_eq!(files.unwrap().len(), 1);
    drop(sandbox);
    bench.assert_clean().await;
}

#[tokio::test]
async fn a_file_that_ends_early_is_not_podmans_fault() {
    let bench = Bench::new().await;
    let sandbox = bench.start().await;
    let files = Files::owned_by(BUILDBOT).reader("f", 0o600, 100_000, &b"short"[..]).unwrap();
    let error = sandbox.put("/tmp", files).await.unwrap_err();
    assert!(matches!(error, SandboxError::Input { .. }), "{error:?}");
    drop(sandbox);
    bench.assert_clean().await;
}

#[tokio::test]
async fn what_is_no_plain_file_does_not_come_out() {
    let bench = Bench::new().await;
    let sandbox = bench.start().await;
    for (script, expected) in [
        ("ln -s /etc/passwd /tmp/NAME/l", "\"NAME/l\" is a link"),
        ("ln -s / /tmp/NAME/l", "\"NAME/l\" is a link"),
        ("echo x >/tmp/NAME/a; ln /tmp/NAME/a /tmp/NAME/b", "\"NAME/b\" is a link"),
        ("mkfifo /tmp/NAME/p", "\"NAME/p\" is neither a file nor a directory"),
        ("echo x >/tmp/NAME/$'a\\nb'", "\"NAME/a\\nb\" is not a name we accept"),
        ("echo x >/tmp/NAME/$'\\xff'", "\"NAME/\u{fffd}\" is not a name we accept"),
        ("mkdir -p /tmp/NAME/1/2/3/4/5", "\"NAME/1/2/3/4/5\" is deeper than 4 directories"),
        ("seq 200 | sed s,^,/tmp/NAME/, | xargs touch", "there are more than 100 files"),
        ("head -c 2000000 /dev/zero >/tmp/NAME/large", "the files have more than 1048576 bytes, with \"NAME/large\""),
        ("truncate -s 3G /tmp/NAME/holes", "the files have more than 1048576 bytes, with \"NAME/holes\""),
        ("rmdir /tmp/NAME; echo x >/tmp/NAME", "\"NAME\" is not a directory"),
    ] {
        let name = format!("{:016x}", rand::random::<u64>());
        stdout(&sandbox, &format!("mkdir /tmp/NAME; {script}").replace("NAME", &name)).await;
        let (_directory, result) = get(&sandbox, &format!("/tmp/{name}")).await;
        let error = result.expect_err(script);
        assert!(matches!(error, GetError::Archive(_)), "{script}: {error:?}");
        assert!(error.to_string().contains(&expected.replace("NAME", &name)), "{script}: {error}");
    }
    drop(sandbox);
    bench.assert_clean().await;
}

#[tokio::test]
async fn a_link_in_place_of_the_directory_leads_nowhere_outside_the_container() {
    let bench = Bench::new().await;
    let sandbox = bench.start().await;
    let outside = TempDir::new().unwrap();
    fs::write(outside.path().join("f"), "outside").unwrap();
    let path = outside.path().display();
    let script =
        format!("mkdir -p {path}; echo inside >{path}/f; ln -s {path} /tmp/a; ln -s ../../../../../..{path} /tmp/b");
    stdout(&sandbox, &script).await;
    for link in ["/tmp/a", "/tmp/b"] {
        let (directory, result) = get(&sandbox, link).await;
        result.unwrap();
        assert_eq!(fs::read_to_string(directory.path().join("f")).unwrap(), "inside\n", "{link}");
    }
    drop(sandbox);
    bench.assert_clean().await;
}

#[tokio::test]
async fn long_names_and_deep_directories_come_out_whole() {
    let bench = Bench::new().await;
    let sandbox = bench.start().await;
    let long = "l".repeat(250);
    stdout(&sandbox, &format!("mkdir -p /tmp/out/{long}/d; echo x >/tmp/out/{long}/d/{long}; echo y >/tmp/out/ä"))
        .await;
    let (directory, result) = get(&sandbox, "/tmp/out").await;
    let paths: Vec<_> = result.unwrap().into_iter().map(|file| file.path).collect();
    assert_eq!(paths, [format!("{long}/d/{long}"), "ä".to_owned()]);
    assert_eq!(fs::read(directory.path().join(&paths[0])).unwrap(), b"x\n");
    drop(sandbox);
    bench.assert_clean().await;
}

#[tokio::test]
async fn what_is_missing_and_what_has_gone_are_told_apart() {
    let bench = Bench::new().await;
    let sandbox = bench.start().await;
    let (_directory, result) = get(&sandbox, "/tmp/nowhere").await;
    assert!(matches!(&result, Err(GetError::Missing { path }) if path == "/tmp/nowhere"), "{result:?}");
    stdout(&sandbox, "mkdir /tmp/out; echo x >/tmp/out/f").await;
    let result = sandbox.get("/tmp/out", Path::new("/nonexistent"), LIMITS).await;
    assert!(matches!(result, Err(GetError::Disk { .. })), "{result:?}");
    sandbox.kill().await.unwrap();
    common::until("the container is gone", async || bench.containers().await.is_empty()).await;
    let (_directory, result) = get(&sandbox, "/tmp/out").await;
    assert!(matches!(result, Err(GetError::Engine(SandboxError::ContainerGone { .. }))), "{result:?}");
    drop(sandbox);
    bench.assert_clean().await;
}
