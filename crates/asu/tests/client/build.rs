//! `asu build`: from the request to the end of the build.

use std::fs;

use serde_json::json;
use tempfile::tempdir;

use crate::{
    fake_server::{FakeServer, Reply},
    images::{
        HASH, IMAGE, IMAGE_URL, LOOK_UP, PREPARE, SUBMIT, content, done, good_server, not_found, prepared, queued,
        sha256, started,
    },
    run::build,
};

#[tokio::test]
async fn a_build_is_prepared_followed_and_fetched() {
    let (server, directory) = (good_server().await, tempdir().unwrap());
    let run = build(&server, directory.path(), &["--yes"]).await.ended_with(0);
    let run = run.prints("auc → owut").prints(IMAGE).prints(&sha256(&content()));
    for words in
        ["queued, position 1", "queued, position 0: next", "building_image: making the images", "built 24.10.4 r1"]
    {
        assert_eq!(run.stderr.matches(words).count(), 1, "{words} in {}", run.stderr);
    }
    assert_eq!(fs::read(directory.path().join(IMAGE)).unwrap(), content());
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "no part is left");
    let posted = server.seen_of("POST /api/v1/build?");
    assert_eq!(posted[0].what, "POST /api/v1/build?skip_package_resolution=true");
    assert_eq!(posted[0].body["packages"], json!(["owut", "tmux"]));
}

#[tokio::test]
async fn json_is_one_document() {
    let (server, directory) = (good_server().await, tempdir().unwrap());
    let run = build(&server, directory.path(), &["--yes", "--json"]).await.ended_with(0);
    let path = directory.path().join(IMAGE);
    let expected = json!({
        "request_hash": HASH,
        "status": 200,
        "detail": "done",
        "changes": [{"type": "migration", "action": "replace", "from_package": "auc", "to_package": "owut",
            "reason": "owut took over from auc", "automatic": true}],
        "files": [{"name": IMAGE, "path": path, "sha256": sha256(&content()), "size": content().len(),
            "type": "combined", "filesystem": "ext4"}],
        "manifest": {"owut": "2025.1", "tmux": "3.4"},
    });
    assert_eq!(run.json(), expected);
    run.says("auc → owut");
}

#[tokio::test]
async fn quiet_prints_only_where_the_images_are() {
    let (server, directory) = (good_server().await, tempdir().unwrap());
    let run = build(&server, directory.path(), &["--yes", "-q"]).await.ended_with(0);
    assert_eq!(run.stdout, format!("{}\n", directory.path().join(IMAGE).display()));
    assert_eq!(run.stderr, "");
}

#[tokio::test]
async fn nobody_to_ask_is_a_no() {
    let (server, directory) = (good_server().await, tempdir().unwrap());
    build(&server, directory.path(), &[]).await.ended_with(2).prints("auc → owut").says("give --yes");
    assert!(server.seen_of("POST /api/v1/build?").is_empty());
}

#[tokio::test]
async fn without_preparing_the_request_is_posted_raw() {
    let (server, directory) = (good_server().await, tempdir().unwrap());
    server.on(SUBMIT, [done()]);
    build(&server, directory.path(), &["--no-prepare"]).await.ended_with(0);
    let seen = server.seen();
    assert_eq!((seen[0].what.as_str(), &seen[0].body["packages"]), (SUBMIT, &json!(["auc", "tmux"])));
    assert_eq!(seen.len(), 2, "a finished build is not asked for again: {seen:?}");
}

#[tokio::test]
async fn a_failed_build_is_told_with_the_end_of_its_output() {
    let (server, directory) = (good_server().await, tempdir().unwrap());
    let lines: Vec<_> = (1..=30).map(|number| format!("line {number}\u{1b}[31m")).collect();
    let body = json!({"status": 500, "detail": "Error: Selected packages exceed device storage", "error": "too_big",
        "stderr": lines.join("\n"), "request_hash": HASH});
    server.on(LOOK_UP, [started("building_image"), Reply::Json(500, body)]);
    let run = build(&server, directory.path(), &["--yes"]).await.ended_with(1);
    let run = run.says("asu: Error: Selected packages exceed device storage").says("  line 11").says("  line 30");
    assert!(!run.stderr.contains("line 10\u{fffd}") && !run.stderr.contains('\u{1b}'), "{}", run.stderr);
    let document = build(&server, directory.path(), &["--yes", "--json"]).await.ended_with(1).json();
    assert_eq!((&document["status"], &document["error"]), (&json!(500), &json!("too_big")));
    assert_eq!((&document["request_hash"], &document["files"]), (&json!(HASH), &json!([])));
}

#[tokio::test]
async fn a_full_queue_is_waited_for() {
    let (server, directory) = (good_server().await, tempdir().unwrap());
    let full = Reply::Later(
        529,
        1,
        json!({"status": 529, "detail": "server overload, queue contains too many build requests: 200"}),
    );
    server.on(SUBMIT, [full, queued(0)]);
    let begun = std::time::Instant::now();
    build(&server, directory.path(), &["--yes"]).await.ended_with(0).says("too many build requests: 200, trying again");
    assert!(begun.elapsed().as_millis() >= 1000, "Retry-After was not honoured");
    assert_eq!(server.seen_of("POST /api/v1/build?").len(), 2);
}

#[tokio::test]
async fn a_pause_beyond_our_patience_is_not_begun() {
    let (server, directory) = (good_server().await, tempdir().unwrap());
    server.on(SUBMIT, [Reply::Later(529, 3600, json!({"detail": "full"}))]);
    build(&server, directory.path(), &["--yes", "--timeout", "20s"])
        .await
        .ended_with(3)
        .says("not done within 20s: full");
}

#[tokio::test]
async fn passing_troubles_while_asking_are_passed_over() {
    let troubles = [
        Reply::Json(503, json!({"detail": "Redis is away"})),
        Reply::Later(429, 0, json!({"detail": "slowly"})),
        Reply::Text(502, "<html>Bad Gateway</html>"),
        Reply::Text(504, ""),
        Reply::Broken(vec![b' '; 100], 10),
        Reply::Broken(vec![b' '; 100], 0),
    ];
    for trouble in troubles {
        let (server, directory) = (good_server().await, tempdir().unwrap());
        server.on(LOOK_UP, [started("init"), trouble.clone(), trouble, done()]);
        build(&server, directory.path(), &["--yes"]).await.ended_with(0).says("trying again");
        assert_eq!(server.seen_of(LOOK_UP).len(), 4);
    }
}

#[tokio::test]
async fn a_server_that_stays_away_is_given_up() {
    let (server, directory) = (good_server().await, tempdir().unwrap());
    server.on(LOOK_UP, [Reply::Text(502, "<html>Bad Gateway</html>")]);
    build(&server, directory.path(), &["--yes", "--timeout", "8s"]).await.ended_with(3).says("the server answered 502");
}

#[tokio::test]
async fn a_forgotten_build_is_asked_for_once_more() {
    let (server, directory) = (good_server().await, tempdir().unwrap());
    server.on(LOOK_UP, [started("init"), not_found(), done()]);
    build(&server, directory.path(), &["--yes"]).await.ended_with(0).says("asking for it again");
    assert_eq!(server.seen_of("POST /api/v1/build?").len(), 2);
}

#[tokio::test]
async fn a_build_forgotten_twice_is_given_up() {
    let (server, directory) = (good_server().await, tempdir().unwrap());
    server.on(LOOK_UP, [not_found()]);
    build(&server, directory.path(), &["--yes"]).await.ended_with(1).says("could not find provided request hash");
    assert_eq!(server.seen_of("POST /api/v1/build?").len(), 2);
}

#[tokio::test]
async fn a_refused_request_is_not_posted_again() {
    let server = FakeServer::start().await;
    let directory = tempdir().unwrap();
    server.on(PREPARE, [prepared()]).on(SUBMIT, [Reply::Json(400, json!({"detail": "Unsupported target: x/y"}))]);
    build(&server, directory.path(), &["--yes"]).await.ended_with(1).says("Unsupported target: x/y");
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn the_wanted_images_are_fetched_and_no_others() {
    let (server, directory) = (good_server().await, tempdir().unwrap());
    let run = build(&server, directory.path(), &["--yes", "--image", "sysupgrade"]).await;
    run.ended_with(1).says("no image of the wanted kind; its types: combined");
    assert!(server.seen_of(IMAGE_URL).is_empty());
}
