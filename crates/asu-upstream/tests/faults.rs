//! What the catalog does while upstream is slow, broken or away.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::{error::Error, time::Duration};

use asu_test_support::{Behaviour, FakeUpstream};
use asu_upstream::CatalogError;
use common::*;

/// Every way in which an answer can be no answer, and a word of the reason that is told for it.
fn faults() -> Vec<(Behaviour, &'static str)> {
    vec![
        (Behaviour::Status(503), "upstream answered 503"),
        (Behaviour::Status(429), "upstream answered 429"),
        (Behaviour::Status(500), "upstream answered 500"),
        (Behaviour::Status(204), "upstream answered 204"),
        (Behaviour::Status(304), "upstream answered 304"),
        (Behaviour::Garbage, "the file cannot be read"),
        (Behaviour::WrongJson, "the file cannot be read"),
        (Behaviour::Truncated, "the connection to upstream failed"),
        (Behaviour::Endless, "the file is larger than 1000000 bytes"),
        (Behaviour::Hang, "took too long"),
        (Behaviour::Redirect(PROFILES.to_owned()), "the connection to upstream failed"),
    ]
}

fn bounded(upstream: &FakeUpstream) -> asu_config::Settings {
    settings(upstream)
        .with("upstream_max_size", "1MB")
        // The good files of these catalogs must come within it on a busy machine, too.
        .with("upstream_timeout", "4s")
        .with("upstream_patience", "50ms")
}

#[tokio::test]
async fn a_file_that_never_came_is_unavailable_and_comes_later() {
    for (fault, reason) in faults() {
        let upstream = small_upstream().await;
        let catalog = catalog_with(&bounded(&upstream));
        upstream.set(PROFILES, fault.clone());
        let error = ask(&catalog, "24.10.4", "ath79/generic").await.unwrap_err();
        assert_eq!(error.to_string(), format!("cannot fetch {PROFILES} from upstream"), "{fault:?}");
        let source = error.source().unwrap().to_string();
        assert!(source.contains(reason), "{fault:?}: {source}");
        assert!(ask(&catalog, "24.10.4", "x86/64").await.is_ok(), "{fault:?}");
        let health = catalog.health();
        assert_eq!((health.failing_files, health.oldest_stale, health.ready), (1, None, true), "{fault:?}");
        assert!(health.last_error.unwrap().starts_with(PROFILES), "{fault:?}");
        upstream.behave();
        pass(minutes(2)).await;
        assert_eq!(revision(&catalog).await, "r28959-a", "{fault:?}");
        assert_eq!(catalog.health().failing_files, 0, "{fault:?}");
    }
}

#[tokio::test]
async fn a_file_that_once_came_is_kept_whatever_comes_later() {
    for (fault, _) in faults() {
        // To a question about a copy, "not modified" is an answer.
        if fault == Behaviour::Status(304) {
            continue;
        }
        let upstream = small_upstream().await;
        let catalog = catalog_with(&bounded(&upstream));
        revision(&catalog).await;
        upstream.set(PROFILES, fault.clone());
        for _ in 0..3 {
            pass(minutes(24 * 60)).await;
            assert_eq!(revision(&catalog).await, "r28959-a", "{fault:?}");
            eventually("the failure is noted", || async { catalog.health().failing_files == 1 }).await;
        }
        assert!(catalog.health().oldest_stale.unwrap() > minutes(3 * 24 * 60), "{fault:?}");
        put_profiles(&upstream, "releases/24.10.4", "ath79/generic", "r2-changed");
        upstream.behave();
        pass(minutes(2)).await;
        eventually("the new file is served", || async { revision(&catalog).await == "r2-changed" }).await;
        assert_eq!((catalog.health().failing_files, catalog.health().oldest_stale), (0, None), "{fault:?}");
    }
}

#[tokio::test]
async fn everything_that_was_read_is_served_while_upstream_is_away() {
    let upstream = small_upstream().await;
    let catalog = catalog(&upstream);
    revision(&catalog).await;
    upstream.go_away().await;
    for _ in 0..3 {
        pass(minutes(7 * 24 * 60)).await;
        assert_eq!(revision(&catalog).await, "r28959-a");
        assert!(catalog.versions().await.is_ok());
    }
    let unread = ask(&catalog, "24.10.4", "x86/64").await.unwrap_err();
    assert!(matches!(unread, CatalogError::Unavailable { .. }), "{unread:?}");
    let health = catalog.health();
    assert!(health.ready && health.failing_files >= 3 && health.oldest_stale > Some(minutes(60)), "{health:?}");

    put_profiles(&upstream, "releases/24.10.4", "ath79/generic", "r2-changed");
    upstream.come_back().await;
    pass(minutes(2)).await;
    eventually("the new file is served", || async { revision(&catalog).await == "r2-changed" }).await;
    assert!(ask(&catalog, "24.10.4", "x86/64").await.is_ok());
}

#[tokio::test]
async fn a_failing_upstream_is_not_asked_at_every_request() {
    let upstream = small_upstream().await;
    let catalog = catalog(&upstream);
    upstream.set_everywhere(Behaviour::Status(503));
    for _ in 0..100 {
        assert!(ask(&catalog, "24.10.4", "ath79/generic").await.is_err());
    }
    for path in [VERSIONS, TARGETS, PROFILES] {
        assert!(upstream.hits(path) <= 3, "{path}: {}", upstream.hits(path));
    }
}

#[tokio::test]
async fn a_broken_file_harms_only_its_own_version() {
    let upstream = small_upstream().await;
    let catalog = catalog_with(&bounded(&upstream));
    upstream.set("releases/23.05.5/.targets.json", Behaviour::WrongJson);
    upstream.set("releases/23.05.5/targets/x86/64/profiles.json", Behaviour::Garbage);
    for version in ["24.10.4", "SNAPSHOT"] {
        assert!(ask(&catalog, version, "x86/64").await.is_ok(), "{version}");
    }
    assert!(matches!(ask(&catalog, "23.05.5", "x86/64").await, Err(CatalogError::Unavailable { .. })));
    // Its other targets are told by their own files.
    assert!(ask(&catalog, "23.05.5", "ath79/generic").await.is_ok());
    assert_eq!(catalog.health().failing_files, 2);
}

#[tokio::test]
async fn a_slow_file_keeps_nobody_else_waiting() {
    let upstream = small_upstream().await;
    let catalog = catalog(&upstream);
    upstream.set("releases/23.05.5/targets/x86/64/profiles.json", Behaviour::Hang);
    let waiting = tokio::spawn({
        let catalog = catalog.clone();
        async move { ask(&catalog, "23.05.5", "x86/64").await.is_ok() }
    });
    upstream.wait_for_hits("releases/23.05.5/targets/x86/64/profiles.json", 1).await;
    assert_eq!(revision(&catalog).await, "r28959-a");
    assert!(!waiting.is_finished());
    upstream.behave();
    assert!(waiting.await.unwrap());
}

#[tokio::test]
async fn a_slow_answer_within_the_limit_is_an_answer() {
    let upstream = small_upstream().await;
    upstream.set_everywhere(Behaviour::Delay(Duration::from_millis(20)));
    assert_eq!(revision(&catalog(&upstream)).await, "r28959-a");
}

#[tokio::test]
async fn without_lists_the_targets_own_file_decides() {
    for fault in [Behaviour::Status(503), Behaviour::Status(404), Behaviour::Garbage] {
        let upstream = small_upstream().await;
        let catalog = catalog(&upstream);
        upstream.set(VERSIONS, fault.clone());
        upstream.set(TARGETS, fault.clone());
        upstream.set("releases/24.10.5/.targets.json", fault.clone());
        assert_eq!(revision(&catalog).await, "r28959-a", "{fault:?}");
        for (version, target) in [("24.10.4", "bad/target"), ("24.10.5", "x86/64"), ("24.10.4", "/")] {
            let error = ask(&catalog, version, target).await.unwrap_err();
            assert!(matches!(error, CatalogError::UnsupportedTarget(_)), "{fault:?} {version} {target} {error:?}");
        }
        assert!(catalog.versions().await.is_err(), "{fault:?}");
    }
}

#[tokio::test]
async fn an_old_list_refuses_nothing_while_it_cannot_be_renewed() {
    let upstream = small_upstream().await;
    let catalog = catalog(&upstream);
    revision(&catalog).await;
    upstream.set(VERSIONS, Behaviour::Status(503));
    pass(minutes(60)).await;
    put_profiles(&upstream, "releases/24.10.5", "ath79/generic", "r3-released-meanwhile");
    let metadata = ask(&catalog, "24.10.5", "ath79/generic").await.unwrap();
    assert_eq!(metadata.version_code.as_str(), "r3-released-meanwhile");
    upstream.go_away().await;
    let error = ask(&catalog, "24.10.6", "ath79/generic").await.unwrap_err();
    assert!(matches!(error, CatalogError::Unavailable { .. }), "{error:?}");
}

#[tokio::test]
async fn a_file_must_be_gone_twice_before_it_is_forgotten() {
    let upstream = small_upstream().await;
    let catalog = catalog(&upstream);
    revision(&catalog).await;
    upstream.remove(PROFILES);
    pass(minutes(60)).await;
    assert_eq!(revision(&catalog).await, "r28959-a");
    pass(minutes(2)).await;
    eventually("the target is refused", || async { ask(&catalog, "24.10.4", "ath79/generic").await.is_err() }).await;
    assert_eq!(upstream.hits(PROFILES), 3);
}

#[tokio::test]
async fn a_catalog_without_upstream_becomes_ready_by_itself() {
    let upstream = small_upstream().await;
    upstream.go_away().await;
    let catalog = catalog(&upstream);
    let keeper = tokio::spawn({
        let catalog = catalog.clone();
        async move { catalog.keep_fresh().await }
    });
    eventually("the failure is noted", || async { catalog.health().failing_files == 1 }).await;
    assert!(!catalog.health().ready && catalog.health().last_success.is_none());
    upstream.come_back().await;
    eventually("the catalog is ready", || async { catalog.health().ready }).await;
    assert_eq!(catalog.health().failing_files, 0);
    keeper.abort();
}

#[tokio::test]
async fn failing_files_are_tried_again_without_being_asked_for() {
    let upstream = small_upstream().await;
    let catalog = catalog(&upstream);
    revision(&catalog).await;
    upstream.set(PROFILES, Behaviour::Status(503));
    pass(minutes(15)).await;
    revision(&catalog).await;
    eventually("the failure is noted", || async { catalog.health().failing_files == 1 }).await;
    let keeper = tokio::spawn({
        let catalog = catalog.clone();
        async move { catalog.keep_fresh().await }
    });
    upstream.behave();
    eventually("the file is fine again", || async { catalog.health().failing_files == 0 }).await;
    keeper.abort();
}

#[tokio::test]
async fn a_redirect_is_followed() {
    let upstream = small_upstream().await;
    upstream.set(VERSIONS, Behaviour::Redirect("elsewhere.json".to_owned()));
    upstream.put("elsewhere.json", r#"{"versions_list": ["24.10.4"]}"#);
    assert_eq!(revision(&catalog(&upstream)).await, "r28959-a");
    assert_eq!(upstream.hits("elsewhere.json"), 1);
}
