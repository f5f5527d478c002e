//! What one client may have of the line.

use std::time::Duration;

use asu_queue::{BuildStatus, ClientKey, ClientLimit, Enqueued, Queue};
use futures::future::join_all;

use crate::bench::{Bench, build, done, eventually, failed, take};

const HOUR: u64 = 3600 * 1000;

fn client(number: u8) -> ClientKey {
    ClientKey::of([192, 0, 2, number].into())
}

async fn enqueue(queue: &Queue, client: &ClientKey, number: u32) -> Enqueued {
    let (hash, build) = build(number);
    queue.enqueue_for(client, &hash, &build).await.unwrap()
}

/// Which limit refused it, and for how long.
fn limited(enqueued: &Enqueued) -> Option<(ClientLimit, Option<Duration>)> {
    match enqueued {
        Enqueued::Limited { limit, wait } => Some((*limit, *wait)),
        Enqueued::New(_) | Enqueued::Known(_) | Enqueued::Full { .. } => None,
    }
}

fn is_new(enqueued: &Enqueued) -> bool {
    matches!(enqueued, Enqueued::New(_))
}

/// Makes the builds of the last hour this much older.
async fn age(bench: &Bench, by: u64) {
    let mut raw = bench.raw().await;
    let key = "{test}:client:192.0.2.1:recent";
    let list: Vec<(String, f64)> =
        redis::cmd("ZRANGE").arg(key).arg(0).arg(-1).arg("WITHSCORES").query_async(&mut raw).await.unwrap();
    assert!(!list.is_empty());
    for (member, _) in list {
        let by = format!("-{by}");
        let () = redis::cmd("ZINCRBY").arg(key).arg(by).arg(member).query_async(&mut raw).await.unwrap();
    }
}

async fn lifetimes(bench: &Bench) -> Vec<(String, Duration)> {
    let mut lifetimes = Vec::new();
    for key in bench.keys().await.into_iter().filter(|key| key.starts_with("{test}:client:")) {
        let ttl: i64 = redis::cmd("PTTL").arg(&key).query_async(&mut bench.raw().await).await.unwrap();
        lifetimes.push((key, Duration::from_millis(u64::try_from(ttl).expect("it expires"))));
    }
    lifetimes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_limits_are_exact_however_many_ask_at_once() {
    for (setting, limit) in [
        ("client_pending_jobs", ClientLimit::PendingJobs(20)),
        ("client_builds_per_hour", ClientLimit::BuildsPerHour(20)),
    ] {
        let bench = Bench::with(&[(setting, "20"), ("max_pending_jobs", "100")]).await;
        let flood = |queue: Queue, client: ClientKey, first: u32| async move {
            let mut answers = Vec::new();
            for number in first..first + 50 {
                answers.push(enqueue(&queue, &client, number).await);
            }
            answers
        };
        let tasks = (0..4).map(|n| tokio::spawn(flood(bench.connect(), client(1), n * 1000)));
        let other = tokio::spawn(flood(bench.connect(), client(2), 5000));
        let answers: Vec<_> = join_all(tasks).await.into_iter().flat_map(Result::unwrap).collect();
        assert_eq!(answers.iter().filter(|answer| is_new(answer)).count(), 20);
        let refused: Vec<_> = answers.iter().filter_map(limited).collect();
        assert_eq!(refused.len(), 180);
        assert!(refused.iter().all(|(by, _)| *by == limit), "{refused:?}");
        let others = other.await.unwrap().iter().filter(|answer| is_new(answer)).count();
        assert_eq!((others, bench.counts().await.pending), (20, 40));
    }
}

#[tokio::test]
async fn a_known_build_is_never_refused_and_never_counted() {
    let bench = Bench::with(&[("client_pending_jobs", "1"), ("client_builds_per_hour", "2")]).await;
    bench.enqueue([1]).await;
    for _ in 0..3 {
        let known = enqueue(&bench.queue, &client(1), 1).await;
        assert!(matches!(known, Enqueued::Known(BuildStatus::Queued { .. })), "{known:?}");
    }
    assert!(lifetimes(&bench).await.is_empty(), "nothing is noted of who only asks");
    assert!(is_new(&enqueue(&bench.queue, &client(1), 2).await));
    assert!(limited(&enqueue(&bench.queue, &client(1), 3).await).is_some());
    for known in [1, 2] {
        assert!(matches!(enqueue(&bench.queue, &client(1), known).await, Enqueued::Known(_)));
    }
}

#[tokio::test]
async fn the_limit_of_the_client_is_told_before_that_of_the_line() {
    let bench = Bench::with(&[("client_pending_jobs", "1"), ("max_pending_jobs", "1")]).await;
    assert!(is_new(&enqueue(&bench.queue, &client(1), 1).await));
    assert!(limited(&enqueue(&bench.queue, &client(1), 2).await).is_some());
    assert_eq!(enqueue(&bench.queue, &client(2), 2).await, Enqueued::Full { length: 1 });
    // Who was refused because the line is full has used up nothing.
    assert_eq!(lifetimes(&bench).await.len(), 2);
}

#[tokio::test]
async fn builds_that_left_the_line_do_not_count() {
    let bench = Bench::with(&[("client_pending_jobs", "2")]).await;
    let next = async |number: u32| is_new(&enqueue(&bench.queue, &client(1), number).await);
    assert!(next(1).await && next(2).await && !next(3).await);
    let mut builds = bench.builds("one");
    let first = take(&mut builds).await;
    assert!(next(3).await && !next(4).await, "one is at work");
    first.lease.finish(failed()).await.unwrap();
    assert!(!next(4).await, "it had left the line before it ended");
    let _second = take(&mut builds).await;
    assert!(next(4).await && !next(5).await);
}

#[tokio::test]
async fn a_build_that_came_back_to_the_line_counts_again() {
    let bench = Bench::with(&[("client_pending_jobs", "2")]).await;
    let next = async |number: u32| is_new(&enqueue(&bench.queue, &client(1), number).await);
    assert!(next(1).await && next(2).await);
    let mut builds = bench.builds("one");
    let first = take(&mut builds).await;
    assert!(!next(2).await && next(3).await && !next(4).await);
    let second = take(&mut builds).await;
    first.lease.give_back("it waits again").await.unwrap();
    assert!(!next(4).await, "3 and 1 wait");
    second.lease.postpone("the registry is away").await.unwrap();
    assert!(!next(4).await, "a build that is put off waits too");
}

#[tokio::test]
async fn another_clients_build_of_the_same_request_is_not_the_first_ones() {
    let bench = Bench::with(&[("client_pending_jobs", "1")]).await;
    assert!(is_new(&enqueue(&bench.queue, &client(1), 1).await));
    let claim = take(&mut bench.builds("one")).await;
    let (hash, attempt) = (claim.request_hash, claim.lease.attempt().clone());
    claim.lease.finish(done(&attempt)).await.unwrap();
    assert!(bench.queue.forget(&hash, &attempt).await.unwrap());
    assert!(is_new(&enqueue(&bench.queue, &client(2), 1).await));
    assert!(is_new(&enqueue(&bench.queue, &client(1), 2).await));
}

#[tokio::test]
async fn builds_of_nobody_are_neither_limited_nor_counted() {
    let bench = Bench::with(&[("client_pending_jobs", "1"), ("client_builds_per_hour", "1")]).await;
    bench.enqueue(1..=5).await;
    assert!(lifetimes(&bench).await.is_empty());
    assert!(is_new(&enqueue(&bench.queue, &client(1), 6).await));
}

#[tokio::test]
async fn the_hour_slides() {
    let bench = Bench::with(&[("client_builds_per_hour", "2")]).await;
    assert!(is_new(&enqueue(&bench.queue, &client(1), 1).await));
    age(&bench, HOUR / 2).await;
    assert!(is_new(&enqueue(&bench.queue, &client(1), 2).await));
    let (limit, wait) = limited(&enqueue(&bench.queue, &client(1), 3).await).unwrap();
    assert_eq!(limit, ClientLimit::BuildsPerHour(2));
    let (wait, half) = (wait.unwrap(), Duration::from_millis(HOUR / 2));
    assert!(wait <= half && wait > half - Duration::from_secs(60), "{wait:?} until the first is an hour old");
    age(&bench, HOUR / 2 - 1000).await;
    let (_, wait) = limited(&enqueue(&bench.queue, &client(1), 3).await).unwrap();
    assert!(wait.unwrap() <= Duration::from_secs(1), "{wait:?}");
    eventually("the first is an hour old", || async { is_new(&enqueue(&bench.queue, &client(1), 3).await) }).await;
    assert!(limited(&enqueue(&bench.queue, &client(1), 4).await).is_some(), "the second is not");
}

#[tokio::test]
async fn a_limit_that_was_lowered_is_waited_for_in_full() {
    let bench = Bench::with(&[("client_builds_per_hour", "3")]).await;
    for number in 1..=3 {
        assert!(is_new(&enqueue(&bench.queue, &client(1), number).await));
        age(&bench, HOUR / 6).await;
    }
    let lowered = bench.connect_with(&[("client_builds_per_hour", "1")]);
    let (limit, wait) = limited(&enqueue(&lowered, &client(1), 4).await).unwrap();
    assert_eq!(limit, ClientLimit::BuildsPerHour(1));
    // The newest of the three is ten minutes old, and none of them may count any more.
    let fifty_minutes = Duration::from_millis(HOUR * 5 / 6);
    let wait = wait.unwrap();
    assert!(wait <= fifty_minutes && wait > fifty_minutes - Duration::from_secs(60), "{wait:?}");
}

#[tokio::test]
async fn nothing_is_kept_for_longer_than_it_counts() {
    let bench = Bench::with(&[("client_pending_jobs", "2"), ("client_builds_per_hour", "50")]).await;
    let mut builds = bench.builds("one");
    for number in 0..20 {
        assert!(is_new(&enqueue(&bench.queue, &client(1), number).await));
        take(&mut builds).await.lease.finish(failed()).await.unwrap();
    }
    let mut raw = bench.raw().await;
    let listed: u64 = redis::cmd("ZCARD").arg("{test}:client:192.0.2.1:waiting").query_async(&mut raw).await.unwrap();
    assert!(listed <= 2, "{listed} builds are listed as waiting");
    let (hour, day) = (Duration::from_millis(HOUR), Duration::from_millis(24 * HOUR));
    let lifetimes = lifetimes(&bench).await;
    let names: Vec<_> = lifetimes.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(names, ["{test}:client:192.0.2.1:recent", "{test}:client:192.0.2.1:waiting"]);
    assert!(lifetimes[0].1 <= hour && lifetimes[1].1 <= day, "{lifetimes:?}");
}

#[tokio::test]
async fn a_redis_that_lost_everything_starts_from_nothing() {
    let bench = Bench::with(&[("client_pending_jobs", "2"), ("client_builds_per_hour", "2")]).await;
    for round in 0..2 {
        for number in 1..=2 {
            assert!(is_new(&enqueue(&bench.queue, &client(1), number).await), "round {round}");
        }
        assert!(limited(&enqueue(&bench.queue, &client(1), 3).await).is_some(), "round {round}");
        let () = redis::cmd("FLUSHALL").query_async(&mut bench.raw().await).await.unwrap();
    }
}

#[tokio::test]
async fn a_build_whose_record_is_gone_gives_its_share_back() {
    let bench = Bench::with(&[("client_pending_jobs", "1")]).await;
    assert!(is_new(&enqueue(&bench.queue, &client(1), 1).await));
    let (hash, _) = build(1);
    let record = crate::bench::record(&hash);
    let () = redis::cmd("DEL").arg(record).query_async(&mut bench.raw().await).await.unwrap();
    assert!(is_new(&enqueue(&bench.queue, &client(1), 2).await));
}

#[tokio::test]
async fn no_limit_keeps_no_books() {
    let bench = Bench::with(&[("client_pending_jobs", "0"), ("client_builds_per_hour", "0")]).await;
    for number in 0..120 {
        assert!(is_new(&enqueue(&bench.queue, &client(1), number).await));
    }
    assert!(lifetimes(&bench).await.is_empty());
}

#[tokio::test]
async fn a_share_larger_than_the_line_limits_nothing() {
    let bench = Bench::with(&[("client_pending_jobs", "50"), ("max_pending_jobs", "3")]).await;
    for number in 0..3 {
        assert!(is_new(&enqueue(&bench.queue, &client(1), number).await));
    }
    assert_eq!(enqueue(&bench.queue, &client(1), 3).await, Enqueued::Full { length: 3 });
}

#[tokio::test]
async fn the_share_is_back_when_the_first_of_its_builds_is_likely_taken() {
    let bench = Bench::with(&[("client_pending_jobs", "1")]).await;
    bench.enqueue([1, 2]).await;
    assert!(is_new(&enqueue(&bench.queue, &client(1), 3).await));
    assert_eq!(limited(&enqueue(&bench.queue, &client(1), 4).await).unwrap().1, None, "nobody can tell");
    let mut builds = bench.builds("one");
    let running = take(&mut builds).await;
    bench.note_durations(&[60_000]).await;
    eventually("the worker is announced", || async { bench.counts().await.slots == 1 }).await;
    let (_, wait) = limited(&enqueue(&bench.queue, &client(1), 4).await).unwrap();
    let (wait, two_builds) = (wait.unwrap(), Duration::from_secs(120));
    assert!(wait <= two_builds && wait > two_builds - Duration::from_secs(20), "{wait:?}");
    running.lease.finish(failed()).await.unwrap();
}
