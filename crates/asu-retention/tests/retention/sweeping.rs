//! The record and its images live and die together.

use std::{fs, time::Duration};

use asu_queue::Finished;
use asu_retention::{Reason, plan, sweep};
use asu_store::BinDir;

use crate::bench::{Bench, SIZE, done, hash};

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn images_go_when_their_record_has_expired_and_not_before() {
    let mut bench = Bench::with(&[("build_ttl_unversioned", "1h")]).await;
    let (first, second) = (bench.build(1).await, bench.build(2).await);
    assert!(bench.sweep().await.removed.is_empty());
    bench.expire(&first);
    let planned = plan(&bench.queue, &bench.store, &bench.config).await.unwrap();
    assert_eq!(bench.stored().len(), 2, "a plan deletes nothing");
    let swept = bench.sweep().await;
    assert_eq!(swept.removed, planned.removals);
    assert_eq!((&swept.removed[0].bin_dir, swept.removed[0].reason), (&first, Reason::Expired));
    assert_eq!(bench.stored(), [second.as_str()]);
    assert_eq!(bench.queue.stored().await.unwrap(), [second.as_str()]);
    assert!(bench.is_known(&second).await);
}

#[tokio::test]
async fn of_ten_builds_the_newest_three_stay_where_three_fit() {
    let quota = (3 * SIZE).to_string();
    let mut bench = Bench::with(&[("store_max_size", &quota)]).await;
    let mut builds = Vec::new();
    for number in 1..=10 {
        builds.push(bench.build(number).await);
    }
    let swept = bench.sweep().await;
    assert_eq!(
        swept.removed.iter().map(|removal| &removal.bin_dir).collect::<Vec<_>>(),
        builds[..7].iter().collect::<Vec<_>>()
    );
    let mut expected: Vec<_> = builds[7..].iter().map(BinDir::to_string).collect();
    expected.sort();
    assert_eq!(bench.stored(), expected);
    for (index, bin_dir) in builds.iter().enumerate() {
        assert_eq!(bench.is_known(bin_dir).await, index >= 7, "{index}");
    }
    assert_eq!(bench.queue.stored().await.unwrap().len(), 3);
    assert!(bench.sweep().await.removed.is_empty());
}

#[tokio::test]
async fn the_free_space_of_the_disk_is_minded() {
    let mut bench = Bench::new().await;
    let builds = [bench.build(1).await, bench.build(2).await, bench.build(3).await];
    // More than any disk has: everything goes that may.
    let settings = asu_config::Settings::defaults().with("store_min_free", i64::MAX).with("sweep_interval", "1m");
    let greedy: asu_retention::Config = settings.section().unwrap();
    let swept = sweep(&bench.queue, &bench.store, &greedy).await.unwrap().unwrap();
    assert!(swept.removed.iter().all(|removal| removal.reason == Reason::Space), "{swept:?}");
    assert_eq!(bench.stored(), [builds[2].as_str()], "the newest stays");
}

#[tokio::test]
async fn what_is_about_to_be_reported_stays_however_old_it_is() {
    let mut bench = Bench::with(&[("store_max_size", "1")]).await;
    let (claim, bin_dir) = bench.publish(1).await;
    bench.age(&bin_dir, 100 * HOUR);
    assert!(bench.sweep().await.removed.is_empty());
    assert_eq!(claim.lease.finish(done(&bin_dir)).await.unwrap(), Finished::Accepted);
    assert!(bench.sweep().await.removed.is_empty(), "nothing else goes for it either");
    assert!(bench.store.contains(&bin_dir).await.unwrap() && bench.is_known(&bin_dir).await);
}

#[tokio::test]
async fn images_that_nobody_ever_reported_go_when_they_are_old() {
    let mut bench = Bench::new().await;
    let (claim, bin_dir) = bench.publish(1).await;
    // Published, and then the worker died; the build is another one's.
    let second = bench.redis(&["HSET", &crate::bench::record(&bin_dir), "token", "f00d"]);
    assert_eq!(second, "0");
    assert!(bench.sweep().await.removed.is_empty(), "they are young");
    bench.age(&bin_dir, 2 * HOUR);
    assert_eq!(bench.sweep().await.removed[0].reason, Reason::Orphan);
    assert!(bench.stored().is_empty() && bench.is_known(&bin_dir).await);
    drop(claim);
}

#[tokio::test]
async fn a_record_whose_images_vanished_goes_too() {
    let mut bench = Bench::new().await;
    let (first, second) = (bench.build(1).await, bench.build(2).await);
    fs::remove_dir_all(bench.path(first.as_str())).unwrap();
    assert_eq!(bench.sweep().await.removed[0].reason, Reason::Vanished);
    assert!(!bench.is_known(&first).await && bench.is_known(&second).await);
    assert_eq!(bench.queue.stored().await.unwrap(), [second.as_str()]);
}

#[tokio::test]
async fn builds_from_before_the_list_are_found_in_the_store() {
    let quota = SIZE.to_string();
    let mut bench = Bench::with(&[("store_max_size", &quota)]).await;
    let (first, second) = (bench.build(1).await, bench.build(2).await);
    bench.redis(&["DEL", "{asu}:stored"]);
    assert_eq!(bench.sweep().await.removed[0].bin_dir, first);
    assert_eq!(bench.stored(), [second.as_str()]);
}

#[tokio::test]
async fn while_another_one_sweeps_nobody_does() {
    let mut bench = Bench::new().await;
    let bin_dir = bench.build(1).await;
    bench.expire(&bin_dir);
    let turn = bench.queue.sweep_turn().await.unwrap().unwrap();
    assert!(sweep(&bench.queue, &bench.store, &bench.config).await.unwrap().is_none());
    assert_eq!(bench.stored().len(), 1);
    turn.end().await.unwrap();
    assert_eq!(bench.sweep().await.removed.len(), 1);
}

/// While builds are published and reported as fast as they come, a sweeper never takes one of them for rubbish.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sweeper_never_deletes_what_is_just_published() {
    let mut bench = Bench::with(&[("sweep_grace", "15m")]).await;
    let (queue, store, config) = (bench.queue.clone(), bench.store.clone(), bench.config.clone());
    let sweeper = tokio::spawn(async move {
        loop {
            let swept = sweep(&queue, &store, &config).await.unwrap().unwrap();
            assert!(swept.removed.is_empty(), "{swept:?}");
        }
    });
    for number in 0..50 {
        let (claim, bin_dir) = bench.publish(number).await;
        // Older than the grace: only the attempt protects it.
        bench.age(&bin_dir, HOUR);
        claim.lease.finish(done(&bin_dir)).await.unwrap();
        assert!(bench.store.contains(&bin_dir).await.unwrap());
        assert!(bench.queue.status(&hash(&bin_dir)).await.unwrap().is_some());
    }
    assert!(!sweeper.is_finished(), "{:?}", sweeper.await);
    sweeper.abort();
    assert_eq!(bench.stored().len(), 50);
}
