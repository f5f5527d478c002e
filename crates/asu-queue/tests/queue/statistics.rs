//! What is counted, how often, and for how long.

use std::time::Duration;

use asu_core::{Branch, BuildFailure, Oversize, PackageSelector, RequestHash, Version};
use asu_queue::{ClientKey, DayCounts, Enqueued, Finished, PackageCount, QueuedBuild, Statistics};
use redis::{AsyncCommands, Script, aio::MultiplexedConnection};
use tokio::time::{sleep, timeout};

use crate::bench::{Bench, PATIENCE, build, done, eventually, failed, request, take, take_and_die};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

async fn bench() -> Bench {
    Bench::with(&[("server_stats", "true")]).await
}

fn statistics(bench: &Bench) -> Statistics {
    bench.queue.statistics().expect("the settings say that it counts")
}

/// Requests, hits and failures of all days.
async fn sums(bench: &Bench) -> (u64, u64, u64) {
    let days = statistics(bench).days().await.unwrap();
    let sum = |count: fn(&DayCounts) -> u64| days.iter().map(count).sum();
    (sum(|day| day.requests), sum(|day| day.hits), sum(|day| day.failures))
}

/// Builds of all weeks and versions.
async fn built(bench: &Bench) -> u64 {
    statistics(bench).weeks().await.unwrap().builds.values().flatten().sum()
}

async fn top(bench: &Bench, branch: Option<&str>) -> Vec<(String, u64)> {
    let branch = branch.map(Branch::new);
    let packages = statistics(bench).top_packages(branch.as_ref()).await.unwrap();
    packages.into_iter().map(|PackageCount { name, count }| (name, count)).collect()
}

async fn today(raw: &mut MultiplexedConnection) -> i64 {
    let (seconds, _): (i64, i64) = redis::cmd("TIME").query_async(raw).await.unwrap();
    seconds * 1000 / DAY_MS
}

fn client() -> ClientKey {
    ClientKey::of([192, 0, 2, 1].into())
}

/// Requests for the builds of these numbers.
async fn ask_for(bench: &Bench, numbers: &[u32]) -> Vec<RequestHash> {
    let mut hashes = Vec::new();
    for number in numbers {
        let (hash, queued) = build(*number);
        bench.queue.enqueue_for(&client(), &hash, &queued).await.unwrap();
        hashes.push(hash);
    }
    hashes
}

async fn ask(bench: &Bench, version: &str, packages: &[&str]) -> RequestHash {
    let mut request = request(1);
    request.version = Version::parse(version).unwrap();
    request.packages = packages.iter().map(|text| PackageSelector::parse(text).unwrap()).collect();
    request.client = Some("owut/2025.1".to_owned());
    let hash = RequestHash::of(&request);
    bench.queue.enqueue_for(&client(), &hash, &QueuedBuild::new(request)).await.unwrap();
    hash
}

#[tokio::test]
async fn a_build_a_hit_and_a_failure_are_each_counted_once() {
    let bench = bench().await;
    let mut builds = bench.builds("one");
    let hash = ask(&bench, "24.10.4", &["tmux", "luci", "-ppp"]).await;
    assert_eq!(hash, ask(&bench, "24.10.4", &["tmux", "luci", "-ppp"]).await);
    assert_eq!(sums(&bench).await, (1, 0, 0), "who asks for a build that is under way waits for it");
    let claim = take(&mut builds).await;
    ask(&bench, "24.10.4", &["tmux", "luci", "-ppp"]).await;
    assert_eq!((sums(&bench).await, built(&bench).await), ((1, 0, 0), 0));
    let outcome = done(claim.lease.attempt());
    claim.lease.finish(outcome).await.unwrap();
    assert_eq!((sums(&bench).await, built(&bench).await), ((1, 0, 0), 1));

    ask(&bench, "24.10.4", &["tmux", "luci", "-ppp"]).await;
    assert_eq!(sums(&bench).await, (2, 1, 0));
    ask(&bench, "SNAPSHOT", &["tmux"]).await;
    take(&mut builds).await.lease.finish(failed()).await.unwrap();
    assert_eq!(sums(&bench).await, (3, 1, 1));
    ask(&bench, "SNAPSHOT", &["tmux"]).await;
    assert_eq!(sums(&bench).await, (4, 2, 1), "a failure that is remembered is a hit");

    let statistics = statistics(&bench);
    assert_eq!(statistics.builds_in_24_hours().await.unwrap(), 1);
    let clients = statistics.clients().await.unwrap();
    let counted: Vec<_> = clients.into_iter().filter(|(_, count)| *count > 0).collect();
    assert_eq!(counted, [(asu_queue::ClientLabel::Owut, 4)]);
    let weeks = statistics.weeks().await.unwrap();
    assert_eq!(weeks.weeks.len(), 26);
    let versions: Vec<_> = weeks.builds.iter().map(|(version, counts)| (version.as_str(), counts[25])).collect();
    assert_eq!(versions, [("24.10.4", 1)], "only what was built counts for its version");
    assert_eq!(top(&bench, None).await, [("luci".to_owned(), 1), ("tmux".to_owned(), 1)]);
    assert_eq!(top(&bench, Some("24.10")).await.len(), 2);
    assert_eq!(top(&bench, Some("SNAPSHOT")).await, []);

    let failures = statistics.failures(10).await.unwrap();
    let [failure] = &failures[..] else { panic!("{failures:?}") };
    assert_eq!((failure.version.as_str(), failure.target.as_str()), ("SNAPSHOT", "ath79/generic"));
    assert_eq!((failure.profile.as_str(), failure.kind.as_str()), ("tplink_archer-c7-v5", "too_big"));
    assert_eq!(failure.detail, BuildFailure::TooBig(Oversize::default()).to_string());
}

#[tokio::test]
async fn nothing_is_counted_unless_the_settings_say_so() {
    let bench = Bench::start().await;
    assert!(bench.queue.statistics().is_none());
    ask_for(&bench, &[1, 2]).await;
    let mut builds = bench.builds("one");
    let claim = take(&mut builds).await;
    let outcome = done(claim.lease.attempt());
    claim.lease.finish(outcome).await.unwrap();
    take(&mut builds).await.lease.finish(failed()).await.unwrap();
    let (hash, queued) = build(1);
    bench.queue.enqueue_for(&client(), &hash, &queued).await.unwrap();
    let keys = bench.keys().await;
    assert!(!keys.iter().any(|key| key.contains("stats")), "{keys:?}");
}

#[tokio::test]
async fn a_report_that_is_sent_again_and_again_counts_once() {
    let bench = bench().await;
    let hashes = ask_for(&bench, &[1, 2, 3]).await;
    let mut builds = bench.builds("one");
    let (first, second, third) = (take(&mut builds).await, take(&mut builds).await, take(&mut builds).await);
    // Redis knows the script afterwards, so that one command is all it takes.
    first.lease.finish(failed()).await.unwrap();
    bench.redis.pause();
    let outcome = done(second.lease.attempt());
    let finishing = tokio::spawn(second.lease.finish(outcome));
    let failing = tokio::spawn(third.lease.finish(failed()));
    // Long enough for several tries, each of which Redis will read.
    sleep(Duration::from_millis(2500)).await;
    bench.redis.resume();
    for report in [finishing, failing] {
        assert_eq!(timeout(PATIENCE, report).await.unwrap().unwrap().unwrap(), Finished::Accepted);
    }
    bench.finished(&hashes[1]).await;
    assert_eq!((sums(&bench).await, built(&bench).await), ((3, 0, 2), 1));
    assert_eq!(statistics(&bench).failures(500).await.unwrap().len(), 2);
    let calls: String = redis::cmd("INFO").arg("commandstats").query_async(&mut bench.raw().await).await.unwrap();
    let evalsha = calls.lines().find(|line| line.starts_with("cmdstat_evalsha:")).unwrap();
    println!("the reports were among {evalsha}");
}

#[tokio::test]
async fn a_build_that_is_given_up_is_one_failure() {
    let bench = Bench::with(&[("server_stats", "true"), ("max_attempts", "1")]).await;
    let hash = ask_for(&bench, &[1]).await.remove(0);
    take_and_die(&bench, "dead");
    let mut others = bench.builds("two");
    let taking = tokio::spawn(async move { others.next().await });
    bench.finished(&hash).await;
    eventually("somebody looked again", || async { bench.counts().await.running == 0 }).await;
    assert_eq!((sums(&bench).await, built(&bench).await), ((1, 0, 1), 0));
    let failures = statistics(&bench).failures(10).await.unwrap();
    assert_eq!(failures.len(), 1);
    assert_eq!(failures[0].detail, BuildFailure::GaveUp { attempts: 1 }.to_string());
    taking.abort();
}

#[tokio::test]
async fn a_build_whose_images_are_gone_is_built_again_without_a_request() {
    let bench = bench().await;
    let mut builds = bench.builds("one");
    let hash = ask_for(&bench, &[1]).await.remove(0);
    for _ in 0..2 {
        let claim = take(&mut builds).await;
        let attempt = claim.lease.attempt().clone();
        claim.lease.finish(done(&attempt)).await.unwrap();
        assert!(bench.queue.forget(&hash, &attempt).await.unwrap());
        let again = bench.queue.enqueue(&hash, &build(1).1).await.unwrap();
        assert!(matches!(again, Enqueued::New(_)), "{again:?}");
    }
    assert_eq!((sums(&bench).await, built(&bench).await), ((1, 0, 0), 2));
}

#[tokio::test]
async fn days_and_weeks_are_those_of_utc_and_old_ones_are_left_out() {
    let bench = bench().await;
    let mut raw = bench.raw().await;
    let today = today(&mut raw).await;
    for (day, requests) in [(today, 1), (today - 1, 20), (today - 29, 300), (today - 30, 4000), (today + 1, 50000)] {
        let () = raw.hset(format!("{{test}}:stats:day:{day}"), "requests", requests).await.unwrap();
        let () = raw.zadd(format!("{{test}}:stats:packages:{day}:"), "tmux", requests).await.unwrap();
    }
    let days = statistics(&bench).days().await.unwrap();
    assert_eq!(days.len(), 30);
    let counts: Vec<_> = days.iter().map(|day| day.requests).filter(|count| *count > 0).collect();
    assert_eq!((counts, days[0].requests, days[28].requests, days[29].requests), (vec![300, 20, 1], 300, 20, 1));
    assert_eq!(days[29].day, asu_core::UnixDay::new(today));
    assert_eq!(top(&bench, None).await, [("tmux".to_owned(), 321)]);

    // 1970 began on a Thursday, in week 0: Monday is the day after the one whose number is 3 less than a multiple of 7.
    let this_week = (today + 3) / 7;
    for (week, builds) in [(this_week, 1), (this_week - 25, 20), (this_week - 26, 300)] {
        let () = raw.hset(format!("{{test}}:stats:week:{week}"), "24.10.4", builds).await.unwrap();
    }
    let weeks = statistics(&bench).weeks().await.unwrap();
    let counts = &weeks.builds[&Version::parse("24.10.4").unwrap()];
    assert_eq!((counts.len(), counts[0], counts[25], counts.iter().sum::<u64>()), (26, 20, 1, 21));
    assert_eq!(weeks.weeks[25], asu_core::UnixDay::monday(this_week));
    assert!(weeks.weeks[25] <= asu_core::UnixDay::new(today) && weeks.weeks[25] > asu_core::UnixDay::new(today - 7));
}

/// The part that counts, at a time that the test chooses.
async fn count_at(raw: &mut MultiplexedConnection, now: i64) {
    let counting = include_str!("../../src/scripts/counting.lua");
    let calls = "count_request(tonumber(ARGV[1]), 'auc', false) count_done(tonumber(ARGV[1]), KEYS[7]) return {}";
    let script = Script::new(&format!("{counting}\n{calls}"));
    let mut invocation = script.prepare_invoke();
    for key in ["", "", "", "", "", "", "{test}:b:x", "", "{test}:stats:"] {
        invocation.key(key);
    }
    let () = invocation.arg(now).invoke_async(raw).await.unwrap();
}

#[tokio::test]
async fn a_day_begins_at_midnight_and_a_week_on_monday() {
    let bench = bench().await;
    let mut raw = bench.raw().await;
    let payload = r#"{"format":1,"request":{"version":"24.10.4","packages":["tmux","-ppp"]}}"#;
    let record = [("branch", "24.10"), ("payload", payload), ("seq", "1")];
    let () = raw.hset_multiple("{test}:b:x", &record).await.unwrap();
    // 2100-01-03 is a Sunday, far enough away for the keys to live.
    let monday = 47485;
    assert_eq!(asu_core::UnixDay::new(monday).to_string(), "2100-01-04Z");
    count_at(&mut raw, monday * DAY_MS - 1).await;
    count_at(&mut raw, monday * DAY_MS).await;
    count_at(&mut raw, (monday + 1) * DAY_MS - 1).await;
    let key = |name: &str, number: i64| format!("{{test}}:stats:{name}:{number}");
    let requests = |number| redis::cmd("HGET").arg(key("day", number)).arg("requests").clone();
    let week = |number| redis::cmd("HGET").arg(key("week", number)).arg("24.10.4").clone();
    let packages = |number| redis::cmd("ZSCORE").arg(key("packages", number) + ":24.10").arg("tmux").clone();
    for (command, expected) in [
        (requests(monday - 1), 1),
        (requests(monday), 2),
        (packages(monday - 1), 1),
        (packages(monday), 2),
        (week((monday + 3) / 7 - 1), 1),
        (week((monday + 3) / 7), 2),
    ] {
        let count: i64 = command.query_async(&mut raw).await.unwrap();
        assert_eq!(count, expected, "{:?}", String::from_utf8_lossy(&command.get_packed_command()));
    }
}

#[tokio::test]
async fn only_the_last_24_hours_are_recent() {
    let bench = bench().await;
    let mut raw = bench.raw().await;
    let (seconds, _): (i64, i64) = redis::cmd("TIME").query_async(&mut raw).await.unwrap();
    let now = seconds * 1000;
    for (seq, age) in [("-1", 60_000), ("-2", DAY_MS - 60_000), ("-3", DAY_MS + 1000)] {
        let () = raw.zadd("{test}:stats:recent", seq, now - age).await.unwrap();
    }
    assert_eq!(statistics(&bench).builds_in_24_hours().await.unwrap(), 2);
    ask_for(&bench, &[1]).await;
    let claim = take(&mut bench.builds("one")).await;
    let outcome = done(claim.lease.attempt());
    claim.lease.finish(outcome).await.unwrap();
    assert_eq!(statistics(&bench).builds_in_24_hours().await.unwrap(), 3);
    let left: u64 = raw.zcard("{test}:stats:recent").await.unwrap();
    assert_eq!(left, 3, "what is older is removed");
}

#[tokio::test]
async fn every_key_of_the_statistics_ends_and_is_bounded() {
    let bench = bench().await;
    let mut raw = bench.raw().await;
    let mut builds = bench.builds("one");
    let many: Vec<String> = (0..1500).map(|number| format!("package-{number}")).collect();
    ask(&bench, "24.10.4", &many.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let claim = take(&mut builds).await;
    let outcome = done(claim.lease.attempt());
    claim.lease.finish(outcome).await.unwrap();
    let filler = vec!["{}"; 500];
    let () = raw.rpush("{test}:stats:errors", filler).await.unwrap();
    ask_for(&bench, &[7]).await;
    take(&mut builds).await.lease.finish(failed()).await.unwrap();
    assert_eq!(top(&bench, None).await.len(), 100);
    assert_eq!(top(&bench, Some("24.10")).await.len(), 100);

    let keys: Vec<_> = bench.keys().await.into_iter().filter(|key| key.contains(":stats:")).collect();
    assert_eq!(keys.len(), 8, "{keys:?}");
    for key in keys {
        let ttl: i64 = raw.pttl(&key).await.unwrap();
        assert!(ttl > 0 && ttl <= 27 * 7 * DAY_MS, "{key} lives for {ttl} ms");
        let kind: String = redis::cmd("TYPE").arg(&key).query_async(&mut raw).await.unwrap();
        let length = match kind.as_str() {
            "zset" => raw.zcard(&key).await.unwrap(),
            "list" => raw.llen(&key).await.unwrap(),
            _ => raw.hlen::<_, u64>(&key).await.unwrap(),
        };
        assert!(length <= 1000 && (kind != "list" || length == 500), "{key} has {length} entries");
    }
    // Notes that nobody can read are left out.
    assert_eq!(statistics(&bench).failures(500).await.unwrap().len(), 1);
    assert_eq!(statistics(&bench).failures(0).await.unwrap(), []);
}

#[tokio::test]
async fn the_versions_of_a_week_are_bounded() {
    let bench = bench().await;
    let mut raw = bench.raw().await;
    let week = format!("{{test}}:stats:week:{}", (today(&mut raw).await + 3) / 7);
    let versions: Vec<_> = (0..199).map(|number| (format!("1.0.{number}"), "1")).collect();
    let () = raw.hset_multiple(&week, &versions).await.unwrap();
    let mut builds = bench.builds("one");
    for version in ["24.10.4", "24.10.5"] {
        ask(&bench, version, &["tmux"]).await;
        let claim = take(&mut builds).await;
        let outcome = done(claim.lease.attempt());
        claim.lease.finish(outcome).await.unwrap();
    }
    let fields: Vec<String> = raw.hkeys(&week).await.unwrap();
    assert_eq!(fields.len(), 200);
    assert!(fields.iter().any(|version| version == "24.10.4"), "{fields:?}");
}

#[tokio::test]
async fn trouble_with_counting_is_no_trouble_for_builds() {
    let bench = bench().await;
    let mut raw = bench.raw().await;
    let day = today(&mut raw).await;
    // Keys of the wrong kind, whatever day it is by now.
    for key in [format!("day:{day}"), format!("day:{}", day + 1), "recent".to_owned(), "errors".to_owned()] {
        let () = raw.set(format!("{{test}}:stats:{key}"), "broken").await.unwrap();
    }
    let hashes = ask_for(&bench, &[1, 2]).await;
    let mut builds = bench.builds("one");
    let claim = take(&mut builds).await;
    let outcome = done(claim.lease.attempt());
    assert_eq!(claim.lease.finish(outcome).await.unwrap(), Finished::Accepted);
    assert_eq!(take(&mut builds).await.lease.finish(failed()).await.unwrap(), Finished::Accepted);
    for hash in &hashes {
        bench.finished(hash).await;
    }
    let (hash, queued) = build(1);
    assert!(matches!(bench.queue.enqueue_for(&client(), &hash, &queued).await.unwrap(), Enqueued::Known(_)));
}
