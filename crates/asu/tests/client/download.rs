//! `asu build`: the images on their way from the server to the directory.

use std::{fs, path::Path};

use serde_json::json;
use tempfile::tempdir;

use crate::{
    fake_server::{FakeServer, Reply},
    images::{IMAGE, IMAGE_URL, LOOK_UP, content, done_with, good_server, sha256},
    run::{Run, build},
};

fn part_of(directory: &Path) -> std::path::PathBuf {
    directory.join(format!("{IMAGE}.part"))
}

async fn fetch(server: &FakeServer, directory: &Path) -> Run {
    build(server, directory, &["--yes"]).await
}

fn ranges(server: &FakeServer) -> Vec<Option<String>> {
    server.seen_of(IMAGE_URL).into_iter().map(|seen| seen.range).collect()
}

#[tokio::test]
async fn a_damaged_image_is_not_kept() {
    let (server, directory) = (good_server().await, tempdir().unwrap());
    server.on(IMAGE_URL, [Reply::File(b"something else".to_vec())]);
    let run = fetch(&server, directory.path()).await.ended_with(1);
    run.says("is damaged").says(&sha256(b"something else")).says(&sha256(&content()));
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn an_older_image_stays_until_the_new_one_is_right() {
    let (server, directory) = (good_server().await, tempdir().unwrap());
    fs::write(directory.path().join(IMAGE), "old").unwrap();
    server.on(IMAGE_URL, [Reply::File(b"damaged".to_vec())]);
    fetch(&server, directory.path()).await.ended_with(1);
    assert_eq!(fs::read(directory.path().join(IMAGE)).unwrap(), b"old");
    server.on(IMAGE_URL, [Reply::File(content())]);
    fetch(&server, directory.path()).await.ended_with(0);
    assert_eq!(fs::read(directory.path().join(IMAGE)).unwrap(), content());
}

#[tokio::test]
async fn a_part_is_continued() {
    let (server, directory) = (good_server().await, tempdir().unwrap());
    fs::write(part_of(directory.path()), &content()[..1000]).unwrap();
    fetch(&server, directory.path()).await.ended_with(0);
    assert_eq!(ranges(&server), [Some("bytes=1000-".to_owned())]);
    assert_eq!(fs::read(directory.path().join(IMAGE)).unwrap(), content());
}

#[tokio::test]
async fn a_part_of_another_build_is_thrown_away() {
    let (server, directory) = (good_server().await, tempdir().unwrap());
    for part in [vec![7; 1000], vec![7; content().len()], vec![7; content().len() + 1]] {
        fs::write(part_of(directory.path()), part).unwrap();
        let _ = fs::remove_file(directory.path().join(IMAGE));
        fetch(&server, directory.path()).await.ended_with(0);
        assert_eq!(fs::read(directory.path().join(IMAGE)).unwrap(), content());
        assert!(!part_of(directory.path()).exists());
    }
}

#[tokio::test]
async fn a_server_without_ranges_sends_all_of_it() {
    let (server, directory) = (good_server().await, tempdir().unwrap());
    fs::write(part_of(directory.path()), &content()[..1000]).unwrap();
    server.on(IMAGE_URL, [Reply::WholeFile(content())]);
    fetch(&server, directory.path()).await.ended_with(0);
    assert_eq!(fs::read(directory.path().join(IMAGE)).unwrap(), content());
}

#[tokio::test]
async fn a_download_that_breaks_off_is_continued() {
    let (server, directory) = (good_server().await, tempdir().unwrap());
    let replies = [Reply::Broken(content(), 5000), Reply::Text(502, "away"), Reply::File(content())];
    server.on(IMAGE_URL, replies);
    fetch(&server, directory.path()).await.ended_with(0);
    let ranges = ranges(&server);
    assert_eq!((ranges.len(), &ranges[0], &ranges[1]), (3, &None, &ranges[2]));
    assert_eq!(fs::read(directory.path().join(IMAGE)).unwrap(), content());
}

#[tokio::test]
async fn a_download_that_always_breaks_off_is_given_up_and_can_be_continued() {
    let (server, directory) = (good_server().await, tempdir().unwrap());
    server.on(IMAGE_URL, [Reply::Text(503, "away")]);
    fs::write(part_of(directory.path()), &content()[..1000]).unwrap();
    fetch(&server, directory.path()).await.ended_with(3).says("the server answered 503");
    assert_eq!(server.seen_of(IMAGE_URL).len(), 6);
    assert_eq!(fs::read(part_of(directory.path())).unwrap(), &content()[..1000]);
}

#[tokio::test]
async fn a_server_that_is_lost_while_downloading_is_3() {
    let (server, directory) = (good_server().await, tempdir().unwrap());
    server.on(IMAGE_URL, [Reply::Broken(content(), 0)]);
    fetch(&server, directory.path()).await.ended_with(3).says("broke off");
}

#[tokio::test]
async fn an_image_that_is_there_is_not_fetched_again() {
    let (server, directory) = (good_server().await, tempdir().unwrap());
    fs::write(directory.path().join(IMAGE), content()).unwrap();
    fetch(&server, directory.path()).await.ended_with(0).says("is there already");
    assert!(ranges(&server).is_empty());
}

#[tokio::test]
async fn a_missing_image_is_an_error() {
    let (server, directory) = (good_server().await, tempdir().unwrap());
    server.on(IMAGE_URL, [Reply::Json(404, json!({"detail": "Not Found"}))]);
    fetch(&server, directory.path()).await.ended_with(1).says("Not Found");
}

#[tokio::test]
async fn an_image_larger_than_promised_is_not_read_to_its_end() {
    let (server, directory) = (good_server().await, tempdir().unwrap());
    server.on(LOOK_UP, [done_with(&json!([{"name": IMAGE, "sha256": sha256(&content()), "size": 1000}]))]);
    fetch(&server, directory.path()).await.ended_with(1).says("is larger than it may be (1000 bytes)");
    assert!(!directory.path().join(IMAGE).exists());
}

#[tokio::test]
async fn hostile_names_write_nothing_anywhere() {
    let outside = tempdir().unwrap();
    let directory = outside.path().join("images");
    for name in ["../evil", "/tmp/evil", ".bashrc", "a/b", "a\\b", "", "..", "evil\u{1b}[2J"] {
        let server = good_server().await;
        server.on(LOOK_UP, [done_with(&json!([{"name": name, "sha256": sha256(b"x")}]))]);
        fetch(&server, &directory).await.ended_with(1).says("no name of an image");
        assert!(server.seen_of("GET /store").is_empty(), "{name:?}");
    }
    assert!(!outside.path().join("evil").exists());
}

#[tokio::test]
async fn a_hostile_directory_of_the_store_is_not_asked_for() {
    let (server, directory) = (good_server().await, tempdir().unwrap());
    let Reply::Json(status, mut body) = crate::images::done() else { unreachable!() };
    body["bin_dir"] = json!("../../admin");
    server.on(LOOK_UP, [Reply::Json(status, body)]);
    fetch(&server, directory.path()).await.ended_with(1).says("no name of an image");
    assert!(server.seen_of("GET /store").is_empty() && server.seen_of("GET /admin").is_empty());
}
