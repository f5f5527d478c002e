//! Each kind of disagreement is found, and nothing else.

use std::fs;

use asu_core::RequestHash;
use asu_retention::{CheckReport, Disagreement, check, disk_report};
use asu_store::BinDir;

use crate::bench::{Bench, SIZE, hash, record};

async fn look(bench: &Bench) -> CheckReport {
    check(&bench.queue, &bench.store).await.unwrap()
}

#[tokio::test]
async fn a_server_in_order_has_none() {
    let mut bench = Bench::new().await;
    let (first, _) = (bench.build(1).await, bench.build(2).await);
    let (claim, published) = bench.publish(3).await;
    fs::create_dir(bench.path("lost+found")).unwrap();
    bench.expire(&first);
    let report = look(&bench).await;
    assert_eq!(report.disagreements, [], "{published} is about to be reported");
    assert_eq!((report.records, report.stored, report.expired), (2, 3, 1));
    drop(claim);
}

#[tokio::test]
async fn each_kind_is_named() {
    let mut bench = Bench::new().await;
    let (dead, other_size, stuck) = (bench.build(1).await, bench.build(2).await, bench.build(3).await);
    fs::remove_dir_all(bench.path(dead.as_str())).unwrap();
    fs::write(bench.path(other_size.as_str()).join("more"), "x").unwrap();
    let orphan = BinDir::new(&"0".repeat(64), "0123456789ab").unwrap();
    fs::create_dir(bench.path(orphan.as_str())).unwrap();
    fs::write(bench.path("notes.txt"), "x").unwrap();
    bench.redis(&["HSET", &record(&stuck), "state", "queued"]);
    let nobody = RequestHash::parse(&"a".repeat(64)).unwrap();
    bench.redis(&["ZADD", "{asu}:pending", "1", nobody.as_str()]);
    let report = look(&bench).await;
    for expected in [
        Disagreement::DeadLink(dead),
        Disagreement::OtherSize { bin_dir: other_size, recorded: SIZE, stored: SIZE + 1 },
        Disagreement::Orphan(orphan),
        Disagreement::Strange("notes.txt".to_owned()),
        Disagreement::NotInLine(hash(&stuck)),
        Disagreement::NoBuild(nobody),
    ] {
        assert!(report.disagreements.contains(&expected), "no {expected:?} in {report:#?}");
    }
    assert_eq!(report.disagreements.len(), 6, "{report:#?}");
}

#[tokio::test]
async fn a_dead_link_from_before_the_list_is_found_by_its_record() {
    let mut bench = Bench::new().await;
    let dead = bench.build(1).await;
    fs::remove_dir_all(bench.path(dead.as_str())).unwrap();
    bench.redis(&["DEL", "{asu}:stored"]);
    assert_eq!(look(&bench).await.disagreements, [Disagreement::DeadLink(dead)]);
}

#[tokio::test]
async fn what_is_stored_is_counted_by_age() {
    let mut bench = Bench::with(&[("store_max_size", "1GiB")]).await;
    let (old, _) = (bench.build(1).await, bench.build(2).await);
    bench.age(&old, std::time::Duration::from_secs(3 * 24 * 3600));
    let report = disk_report(&bench.queue, &bench.store, &bench.config).await.unwrap();
    let counts: Vec<_> = report.ages.iter().map(|group| (group.builds, group.size)).collect();
    assert_eq!(counts, [(1, SIZE), (0, 0), (1, SIZE), (0, 0)]);
    assert_eq!((report.size, report.max_size), (2 * SIZE, Some(1 << 30)));
    assert!(report.space.unwrap().total > 0);
}
