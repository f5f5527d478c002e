//! What a build prints, read by others while it runs.

use std::time::Duration;

use asu_core::{RequestHash, Stage};
use asu_queue::{Finished, LogContent, LogEntry, LogState, LogView, Released};
use tokio::time::{Instant, timeout};

use crate::bench::{Bench, PATIENCE, done, eventually, take};

async fn view(bench: &Bench, hash: &RequestHash) -> LogView {
    bench.queue.log(hash, None).await.unwrap().expect("the build is known")
}

fn text(entries: &[LogEntry]) -> String {
    let text = |entry: &LogEntry| match &entry.content {
        LogContent::Stage(stage) => format!("<{stage}>"),
        LogContent::Text(text) => text.clone(),
    };
    entries.iter().map(text).collect()
}

async fn reads(bench: &Bench, hash: &RequestHash, expected: &str) {
    eventually(expected, || async { text(&view(bench, hash).await.entries) == expected }).await;
}

fn key(hash: &RequestHash) -> String {
    format!("{{test}}:l:{hash}")
}

async fn size(bench: &Bench, hash: &RequestHash) -> u64 {
    redis::cmd("XLEN").arg(key(hash)).query_async(&mut bench.raw().await).await.unwrap()
}

async fn ttl(bench: &Bench, hash: &RequestHash) -> i64 {
    redis::cmd("PTTL").arg(key(hash)).query_async(&mut bench.raw().await).await.unwrap()
}

#[tokio::test]
async fn what_a_build_prints_is_read_while_it_runs_and_after_it() {
    let bench = Bench::start().await;
    let hash = bench.enqueue([1]).await.remove(0);
    let queued = view(&bench, &hash).await;
    assert_eq!((queued.state, queued.attempt), (LogState::Queued { position: 0 }, None));
    let claim = take(&mut bench.builds("one")).await;
    reads(&bench, &hash, "<init>").await;
    claim.lease.set_stage(Stage::BuildingImage);
    let mut lines = claim.lease.log().lines();
    lines.write(b"one\ntwo\nthr");
    reads(&bench, &hash, "<init><building_image>one\ntwo\n").await;
    let known = view(&bench, &hash).await;
    assert_eq!(known.state, LogState::Started { stage: Stage::BuildingImage });
    drop(lines);
    let attempt = claim.lease.attempt().clone();
    // Nobody waits for the interval here: what is left is told before the end.
    assert_eq!(claim.lease.finish(done(&attempt)).await.unwrap(), Finished::Accepted);
    let position = (known.attempt.unwrap(), known.entries.last().unwrap().end);
    let rest = bench.queue.log(&hash, Some(position)).await.unwrap().unwrap();
    assert_eq!((text(&rest.entries).as_str(), rest.state), ("thr\n", LogState::Finished(attempt)));
    assert_eq!(rest.entries[0].start, position.1, "nothing is missing");
}

#[tokio::test]
async fn a_log_without_its_build_is_nobodys() {
    let bench = Bench::start().await;
    let hash = bench.enqueue([1]).await.remove(0);
    let claim = take(&mut bench.builds("one")).await;
    reads(&bench, &hash, "<init>").await;
    let attempt = claim.lease.attempt().clone();
    claim.lease.finish(done(&attempt)).await.unwrap();
    assert!(bench.queue.forget(&hash, &attempt).await.unwrap());
    assert_eq!(bench.queue.log(&hash, None).await.unwrap(), None);
    bench.enqueue([1]).await;
    let queued = view(&bench, &hash).await;
    assert_eq!((queued.attempt, queued.entries), (None, Vec::new()));
}

#[tokio::test]
async fn whoever_lost_the_token_adds_nothing() {
    let bench = Bench::with(&[("live_log_interval", "1ms")]).await;
    let hash = bench.enqueue([1]).await.remove(0);
    let claim = take(&mut bench.builds("one")).await;
    claim.lease.log().line("mine");
    reads(&bench, &hash, "<init>mine\n").await;
    bench.set_field(&hash, "token", "another").await;
    claim.lease.log().line("not mine any more");
    timeout(PATIENCE, claim.lease.lost().cancelled()).await.expect("the worker is told");
    let outcome = done(claim.lease.attempt());
    assert_eq!(claim.lease.finish(outcome).await.unwrap(), Finished::Superseded);
    let entries: Vec<redis::Value> =
        redis::cmd("XRANGE").arg(key(&hash)).arg("-").arg("+").query_async(&mut bench.raw().await).await.unwrap();
    let all = format!("{entries:?}");
    assert!(all.contains("mine") && !all.contains("not mine"), "{all}");
    assert_eq!(text(&view(&bench, &hash).await.entries), "", "the log is of an attempt that is over");
}

#[tokio::test]
async fn the_end_of_a_long_log_is_kept_and_the_rest_counts() {
    const SIZE: u64 = 32 * 1024;
    let bench =
        Bench::with(&[("max_live_log_size", "32KiB"), ("max_live_log_entries", "6"), ("live_log_interval", "1ms")])
            .await;
    let hash = bench.enqueue([1]).await.remove(0);
    let claim = take(&mut bench.builds("one")).await;
    // More than fits into memory while it waits, and into Redis afterwards.
    for number in 0..20_000 {
        claim.lease.log().line(&format!("line {number:05}"));
    }
    claim.lease.log().line("the end");
    let attempt = claim.lease.attempt().clone();
    claim.lease.finish(done(&attempt)).await.unwrap();
    let log = view(&bench, &hash).await;
    let kept: usize = log.entries.iter().map(|entry| usize::try_from(entry.end - entry.start).unwrap()).sum();
    assert!(kept as u64 <= SIZE && kept > 8 * 1024, "{kept} bytes");
    assert!(text(&log.entries).ends_with("line 19999\nthe end\n"));
    assert_eq!(log.entries.last().unwrap().end, 4 + 20_000 * 11 + 8, "what is missing counts");
    assert!(size(&bench, &hash).await <= 6);
}

#[tokio::test]
async fn small_entries_are_limited_too() {
    let bench = Bench::with(&[("max_live_log_entries", "3")]).await;
    let hash = bench.enqueue([1]).await.remove(0);
    let claim = take(&mut bench.builds("one")).await;
    for stage in Stage::ALL {
        claim.lease.set_stage(stage);
    }
    reads(&bench, &hash, "<validate_manifest><building_image><signing_images>").await;
    assert_eq!(size(&bench, &hash).await, 3);
}

#[tokio::test]
async fn a_log_expires_after_the_last_line_and_not_before() {
    let bench = Bench::with(&[("live_log_ttl", "3s")]).await;
    let hash = bench.enqueue([1]).await.remove(0);
    let claim = take(&mut bench.builds("one")).await;
    claim.lease.log().line("and then nothing");
    reads(&bench, &hash, "<init>and then nothing\n").await;
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(7) {
        assert!(ttl(&bench, &hash).await > 0, "the log of a silent build stays");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let attempt = claim.lease.attempt().clone();
    claim.lease.finish(done(&attempt)).await.unwrap();
    eventually("the log expires", || async { ttl(&bench, &hash).await == -2 }).await;
    let log = view(&bench, &hash).await;
    assert_eq!((log.state, log.attempt), (LogState::Finished(attempt), None));
}

#[tokio::test]
async fn a_new_attempt_starts_afresh_and_its_positions_come_later() {
    let bench = Bench::start().await;
    let hash = bench.enqueue([1]).await.remove(0);
    let mut builds = bench.builds("one");
    let claim = take(&mut builds).await;
    claim.lease.log().line("first");
    reads(&bench, &hash, "<init>first\n").await;
    let first = view(&bench, &hash).await;
    // A clock that goes back between two attempts.
    let ahead = (first.attempt.unwrap() + 3_600_000).to_string();
    let renamed = format!("{ahead}-9");
    let mut raw = bench.raw().await;
    let token = claim.lease.attempt().to_string();
    let mut add = redis::cmd("XADD");
    let () = add
        .arg(key(&hash))
        .arg(renamed)
        .arg("token")
        .arg(token)
        .arg("text")
        .arg("ahead\n")
        .query_async(&mut raw)
        .await
        .unwrap();
    assert_eq!(claim.lease.give_back("the test goes on").await.unwrap(), Released::InLine);
    let waiting = view(&bench, &hash).await;
    assert_eq!((waiting.attempt, waiting.entries), (None, Vec::new()), "a build in line has no log");
    let claim = take(&mut builds).await;
    claim.lease.log().line("second");
    reads(&bench, &hash, "<init>second\n").await;
    let second = view(&bench, &hash).await;
    assert!(second.attempt.unwrap().to_string() > ahead);
    let position = (first.attempt.unwrap(), first.entries.last().unwrap().end);
    let resumed = bench.queue.log(&hash, Some(position)).await.unwrap().unwrap();
    assert_eq!(resumed, second, "who knows an earlier attempt gets everything of this one");
}

#[tokio::test]
async fn who_reads_an_attempt_that_is_put_off_gets_the_rest_of_it() {
    let bench = Bench::start().await;
    let hash = bench.enqueue([1]).await.remove(0);
    let claim = take(&mut bench.builds("one")).await;
    reads(&bench, &hash, "<init>").await;
    let known = view(&bench, &hash).await;
    let position = (known.attempt.unwrap(), known.entries.last().unwrap().end);
    claim.lease.log().line("the network is away");
    claim.lease.postpone("the network is away").await.unwrap();
    let rest = bench.queue.log(&hash, Some(position)).await.unwrap().unwrap();
    assert_eq!((rest.state, text(&rest.entries).as_str()), (LogState::Queued { position: 0 }, "the network is away\n"));
    assert_eq!(view(&bench, &hash).await.entries, [], "who comes now sees a build that waits");
}

#[tokio::test]
async fn the_log_of_the_last_attempt_is_all_there_is_of_a_build_that_is_given_up() {
    let bench = Bench::with(&[("max_attempts", "1")]).await;
    let hash = bench.enqueue([1]).await.remove(0);
    let mut builds = bench.builds("one");
    let claim = take(&mut builds).await;
    claim.lease.log().line("the last words");
    reads(&bench, &hash, "<init>the last words\n").await;
    drop(claim);
    bench.finished(&hash).await;
    assert_eq!(text(&view(&bench, &hash).await.entries), "<init>the last words\n");
}

#[tokio::test]
async fn a_redis_that_is_away_delays_the_log_and_never_the_build() {
    let mut bench = Bench::with(&[("max_live_log_size", "4MiB")]).await;
    let hash = bench.enqueue([1]).await.remove(0);
    let claim = take(&mut bench.builds("one")).await;
    claim.lease.log().line("before");
    reads(&bench, &hash, "<init>before\n").await;
    bench.redis.stop().await;
    for number in 0..100_000 {
        claim.lease.log().line(&format!("line {number:05}"));
    }
    bench.redis.start_again().await;
    eventually("the log is told", || async {
        let log = bench.queue.log(&hash, None).await.ok().flatten();
        log.is_some_and(|log| text(&log.entries).ends_with("line 99999\n"))
    })
    .await;
    let log = view(&bench, &hash).await;
    let gaps = log.entries.windows(2).filter(|pair| pair[0].end != pair[1].start).count();
    assert!(gaps >= 1, "what did not get through is missing, and it shows");
    claim.lease.verify().await.unwrap();
}
