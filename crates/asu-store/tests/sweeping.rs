//! What the dead leave behind is deleted, and nothing else.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::{
    env, fs,
    process::{Command, abort},
    time::Duration,
};

use support::{TestStore, bin_dir, open};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Names the store to the process that dies.
const DYING: &str = "ASU_STORE_TEST_DYING";

#[tokio::test]
async fn a_dead_builders_leavings_are_swept_and_a_living_ones_are_not() {
    #[expect(clippy::disallowed_methods, reason = "this test starts itself a second time, and tells so by a variable")]
    if let Ok(public_path) = env::var(DYING) {
        stage_and_die(&public_path).await;
    }
    let store = TestStore::new().await;
    store.publish(&bin_dir(1), &[("a.bin", "firmware")]).await;
    let living = store.store.begin(&bin_dir(2)).await.unwrap();
    let died = Command::new(env::current_exe().unwrap())
        .args(["--exact", "a_dead_builders_leavings_are_swept_and_a_living_ones_are_not"])
        .env(DYING, store.directory.path())
        .output()
        .unwrap();
    assert!(!died.status.success());
    assert_eq!(store.names().len(), 3, "the other process should have left a directory: {died:?}");
    assert_eq!(store.store.sweep_temporary(DAY).await.unwrap(), 1);
    assert!(living.path().is_dir());
    assert_eq!(store.names().len(), 2);
    assert!(store.store.contains(&bin_dir(1)).await.unwrap());
}

async fn stage_and_die(public_path: &str) -> ! {
    let staging = open(public_path, 0).await.begin(&bin_dir(3)).await.unwrap();
    fs::write(staging.path().join("a.bin"), "half").unwrap();
    abort();
}

#[tokio::test]
async fn an_old_builders_directory_is_swept_and_its_result_refused() {
    let store = TestStore::new().await;
    let stuck = store.store.begin(&bin_dir(1)).await.unwrap();
    assert_eq!(store.store.sweep_temporary(DAY).await.unwrap(), 0);
    let yesterday = std::time::SystemTime::now() - 2 * DAY;
    fs::File::open(stuck.path()).unwrap().set_modified(yesterday).unwrap();
    assert_eq!(store.store.sweep_temporary(DAY).await.unwrap(), 1);
    assert_eq!(stuck.publish().await.unwrap_err().to_string(), format!("cannot publish {}", bin_dir(1)));
    assert!(store.names().is_empty());
}

#[tokio::test]
async fn a_half_deleted_build_is_swept_and_strange_things_are_left_alone() {
    let store = TestStore::new().await;
    fs::create_dir(store.path().join(format!("{}.old-0011223344556677", bin_dir(1)))).unwrap();
    fs::create_dir(store.path().join("lost+found")).unwrap();
    fs::write(store.path().join("notes.tmp-1"), "").unwrap();
    let no_directory = bin_dir(2).to_string();
    fs::write(store.path().join(&no_directory), "").unwrap();
    assert_eq!(store.store.sweep_temporary(Duration::ZERO).await.unwrap(), 1);
    assert_eq!(store.names(), [&*no_directory, "lost+found", "notes.tmp-1"]);
    let mut entries = store.store.entries().await.unwrap();
    entries.strange.sort();
    assert_eq!((entries.builds, entries.strange), (vec![], store.names()));
}

/// Builders begin as fast as they can while a sweeper sweeps: a directory that is still unlocked may be taken from its
/// builder, who must notice and get another.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sweeper_never_takes_a_directory_from_a_builder() {
    let store = TestStore::new().await;
    let sweeper = tokio::spawn({
        let store = store.store.clone();
        async move {
            loop {
                store.sweep_temporary(DAY).await.unwrap();
            }
        }
    });
    for number in 0..200 {
        let staging = store.store.begin(&bin_dir(number)).await.unwrap();
        fs::write(staging.path().join("a.bin"), "firmware").unwrap();
        staging.publish().await.unwrap();
    }
    sweeper.abort();
    assert_eq!(store.store.entries().await.unwrap().builds.len(), 200);
}
