//! The list of stored images.

use asu_core::RequestHash;
use asu_queue::{AttemptId, StoredState};

use crate::bench::{Bench, done, failed, record, take};

fn name(hash: &RequestHash, attempt: &AttemptId) -> String {
    format!("{hash}-{}", &attempt.as_str()[..12])
}

async fn state(bench: &Bench, name: &str) -> StoredState {
    bench.queue.stored_states(&[name]).await.unwrap().remove(0)
}

#[tokio::test]
async fn images_are_listed_from_the_report_on_until_they_are_struck_off() {
    let bench = Bench::start().await;
    let hashes = bench.enqueue(1..=3).await;
    let mut builds = bench.builds("one");
    let mut names = Vec::new();
    for hash in &hashes[..2] {
        let mut claim = take(&mut builds).await;
        let attempt = claim.lease.attempt().clone();
        assert_eq!(state(&bench, &name(hash, &attempt)).await, StoredState::Reporting);
        claim.lease.set_size(7);
        claim.lease.finish(done(&attempt)).await.unwrap();
        names.push(name(hash, &attempt));
        // Of two that end in one millisecond none is the older.
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    take(&mut builds).await.lease.finish(failed()).await.unwrap();
    assert_eq!(bench.queue.stored().await.unwrap(), names, "the oldest first, and no failure");
    assert!(matches!(state(&bench, &names[0]).await, StoredState::Kept { size: Some(7), .. }));
    bench.queue.unlist(&hashes[0], &names[0]).await.unwrap();
    assert_eq!(bench.queue.stored().await.unwrap(), names, "a record has them");

    assert!(bench.queue.evict(&hashes[0], &names[0]).await.unwrap());
    assert!(bench.queue.status(&hashes[0]).await.unwrap().is_none());
    assert_eq!(state(&bench, &names[0]).await, StoredState::Unwanted);
    assert_eq!(bench.queue.stored().await.unwrap(), names, "they are not deleted yet");
    bench.queue.unlist(&hashes[0], &names[0]).await.unwrap();
    assert_eq!(bench.queue.stored().await.unwrap(), names[1..]);
}

#[tokio::test]
async fn what_an_attempt_is_about_to_report_is_never_dropped() {
    let bench = Bench::start().await;
    let hash = bench.enqueue([1]).await.remove(0);
    let mut builds = bench.builds("one");
    let first = take(&mut builds).await;
    let attempt = first.lease.attempt().clone();
    let old = name(&hash, &attempt);
    first.lease.finish(done(&attempt)).await.unwrap();
    bench.queue.build_again(&hash, &attempt).await.unwrap();
    let claim = take(&mut builds).await;
    let new = name(&hash, claim.lease.attempt());
    assert!(!bench.queue.evict(&hash, &new).await.unwrap());
    assert!(bench.queue.evict(&hash, &old).await.unwrap(), "the images of the attempt before are nobody's");
    claim.lease.verify().await.unwrap();
    assert_eq!(state(&bench, &old).await, StoredState::Unwanted);
}

#[tokio::test]
async fn a_build_from_before_the_list_is_added_when_somebody_asks() {
    let bench = Bench::start().await;
    let hash = bench.enqueue([1]).await.remove(0);
    let claim = take(&mut bench.builds("one")).await;
    let attempt = claim.lease.attempt().clone();
    claim.lease.finish(done(&attempt)).await.unwrap();
    let () = redis::cmd("DEL").arg("{test}:stored").query_async(&mut bench.raw().await).await.unwrap();
    assert!(matches!(state(&bench, &name(&hash, &attempt)).await, StoredState::Kept { size: None, .. }));
    assert_eq!(bench.queue.stored().await.unwrap(), [name(&hash, &attempt)]);
    let () = redis::cmd("DEL").arg(record(&hash)).query_async(&mut bench.raw().await).await.unwrap();
    assert_eq!(state(&bench, &name(&hash, &attempt)).await, StoredState::Unwanted);
    assert_eq!(bench.queue.stored().await.unwrap().len(), 1, "what expires is found by the list");
}

#[tokio::test]
async fn one_at_a_time_tidies_up() {
    let bench = Bench::start().await;
    let turn = bench.queue.sweep_turn().await.unwrap().expect("nobody has it");
    assert!(bench.connect().sweep_turn().await.unwrap().is_none());
    assert!(turn.keep().await.unwrap());
    turn.end().await.unwrap();
    let second = bench.connect().sweep_turn().await.unwrap().expect("it was ended");
    let () = redis::cmd("DEL").arg("{test}:sweeper").query_async(&mut bench.raw().await).await.unwrap();
    let third = bench.queue.sweep_turn().await.unwrap().expect("it ran out");
    assert!(!second.keep().await.unwrap(), "it is another one's now");
    second.end().await.unwrap();
    assert!(third.keep().await.unwrap(), "nobody ends the turn of another");
}

#[tokio::test]
async fn the_use_of_images_is_remembered() {
    let bench = Bench::start().await;
    assert!(bench.queue.used_images().await.unwrap().is_empty());
    bench.queue.note_image_use("a").await.unwrap();
    let hour = 3600 * 1000;
    let mut raw = bench.raw().await;
    let () = redis::cmd("ZINCRBY").arg("{test}:images").arg(-hour).arg("a").query_async(&mut raw).await.unwrap();
    let unused = bench.queue.unused_for(&["a", "b"]).await.unwrap();
    assert!(unused[0].as_secs() >= 3600 && unused[1].as_secs() < 3600, "{unused:?}");
    bench.connect().note_image_use("a").await.unwrap();
    assert!(bench.queue.unused_for(&["a"]).await.unwrap()[0].as_secs() < 3600);
    assert_eq!(bench.queue.used_images().await.unwrap(), ["b", "a"]);
}
