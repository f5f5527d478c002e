//! The overview: collected from the lists of many versions, of which any may be missing, broken or slow.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::sync::Arc;

use asu_core::{BranchOverview, Overview, Version};
use asu_test_support::{Behaviour, FakeUpstream};
use asu_upstream::{Catalog, CatalogError};
use common::*;

/// The lists of targets that an overview of the small upstream reads, and those that it looks for in vain.
const LISTS: [&str; 6] = [
    "snapshots/.targets.json",
    "releases/25.12-SNAPSHOT/.targets.json",
    "releases/24.10.4/.targets.json",
    "releases/23.05.5/.targets.json",
    "releases/22.03-SNAPSHOT/.targets.json",
    "releases/21.02-SNAPSHOT/.targets.json",
];

fn branch<'a>(overview: &'a Overview, name: &str) -> &'a BranchOverview {
    overview.branches.iter().find(|branch| branch.name.as_str() == name).unwrap()
}

fn targets(overview: &Arc<Overview>, name: &str) -> Vec<String> {
    branch(overview, name).targets.keys().map(ToString::to_string).collect()
}

fn texts(versions: &[Version]) -> Vec<&str> {
    versions.iter().map(Version::as_str).collect()
}

/// Another release of 24.10, with a list of targets of its own.
fn add_release(upstream: &FakeUpstream, list: &str) {
    upstream.put(
        VERSIONS,
        r#"{"stable_version": "24.10.5", "oldstable_version": "23.05.5", "versions_list": ["24.10.4", "24.10.5", "23.05.5"]}"#,
    );
    upstream.put("releases/24.10.5/.targets.json", list.to_owned());
}

async fn overview(catalog: &Catalog) -> Arc<Overview> {
    catalog.overview().await.unwrap()
}

#[tokio::test]
async fn an_overview_names_branches_versions_and_targets() {
    let upstream = small_upstream().await;
    let overview = overview(&catalog(&upstream)).await;
    assert_eq!(texts(&overview.latest), ["24.10.4", "23.05.5"]);
    let names: Vec<_> = overview.branches.iter().map(|branch| branch.name.as_str()).collect();
    assert_eq!(names, ["SNAPSHOT", "25.12", "24.10", "23.05", "22.03", "21.02"]);
    for (name, versions, found) in [
        ("SNAPSHOT", &["SNAPSHOT"][..], &["ath79/generic", "x86/64"][..]),
        ("25.12", &["25.12-SNAPSHOT"], &[]),
        ("24.10", &["24.10.4", "24.10-SNAPSHOT"], &["ath79/generic", "x86/64"]),
    ] {
        assert_eq!(texts(&branch(&overview, name).versions), versions, "{name}");
        assert_eq!(targets(&overview, name), found, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_cold_readers_cost_one_request_per_file_and_warm_ones_none() {
    let upstream = small_upstream().await;
    let catalog = catalog(&upstream);
    upstream.set(VERSIONS, Behaviour::Hang);
    let readers: Vec<_> = (0..1000)
        .map(|_| {
            let catalog = catalog.clone();
            tokio::spawn(async move { overview(&catalog).await })
        })
        .collect();
    upstream.wait_for_hits(VERSIONS, 1).await;
    upstream.behave();
    for reader in readers {
        assert_eq!(targets(&reader.await.unwrap(), "24.10").len(), 2);
    }
    for path in LISTS.into_iter().chain([VERSIONS]) {
        assert_eq!(upstream.hits(path), 1, "{path}");
    }
    assert_eq!(upstream.total_hits(), 1 + LISTS.len() as u64);
    let first = overview(&catalog).await;
    for _ in 0..1000 {
        assert!(Arc::ptr_eq(&first, &overview(&catalog).await), "nothing changed, so that nothing is made anew");
    }
    assert_eq!(upstream.total_hits(), 1 + LISTS.len() as u64);
}

#[tokio::test]
async fn a_branch_without_a_good_list_takes_that_of_the_version_before() {
    for fault in [
        Behaviour::Status(404),
        Behaviour::Status(503),
        Behaviour::Garbage,
        Behaviour::WrongJson,
        Behaviour::Truncated,
        Behaviour::Hang,
    ] {
        let upstream = small_upstream().await;
        add_release(&upstream, r#"{"x86/64": "x86_64"}"#);
        upstream.set("releases/24.10.5/.targets.json", fault.clone());
        let catalog = catalog_with(&settings(&upstream).with("upstream_patience", "5s"));
        let first = promptly(overview(&catalog)).await;
        assert_eq!(targets(&first, "24.10"), ["ath79/generic", "x86/64"], "{fault:?}");
        assert_eq!(targets(&first, "23.05"), ["ath79/generic", "x86/64"], "{fault:?}");
        assert_eq!(texts(&branch(&first, "24.10").versions), ["24.10.5", "24.10.4", "24.10-SNAPSHOT"], "{fault:?}");
        upstream.behave();
        pass(minutes(2)).await;
        eventually("the newest list", || async { targets(&overview(&catalog).await, "24.10") == ["x86/64"] }).await;
    }
}

#[tokio::test]
async fn a_version_of_which_nothing_is_built_yet_does_not_take_its_branch_away() {
    let upstream = small_upstream().await;
    add_release(&upstream, "{}");
    assert_eq!(targets(&overview(&catalog(&upstream)).await, "24.10").len(), 2);
}

#[tokio::test]
async fn a_branch_that_is_refused_is_shown_as_that_and_costs_nothing() {
    let upstream = small_upstream().await;
    let settings = settings(&upstream).with("branches", toml::toml! { "23.05" = { enabled = false } });
    let overview = overview(&catalog_with(&settings)).await;
    let refused = branch(&overview, "23.05");
    assert!(!refused.enabled && refused.versions.is_empty() && refused.targets.is_empty());
    assert_eq!(texts(&overview.latest), ["24.10.4"]);
    assert_eq!(upstream.hits("releases/23.05.5/.targets.json"), 0);
}

#[tokio::test]
async fn what_was_collected_is_served_while_upstream_is_away_or_hangs() {
    for hangs in [false, true] {
        let upstream = small_upstream().await;
        let catalog = catalog_with(&settings(&upstream).with("upstream_patience", "3s"));
        let first = overview(&catalog).await;
        if hangs {
            upstream.set_everywhere(Behaviour::Hang);
        } else {
            upstream.go_away().await;
        }
        for _ in 0..3 {
            pass(minutes(24 * 60)).await;
            assert_eq!(promptly(overview(&catalog)).await, first);
        }
        upstream.behave();
        upstream.come_back().await;
        add_release(&upstream, r#"{"x86/64": "x86_64"}"#);
        pass(minutes(20)).await;
        eventually("the new release", || async { texts(&overview(&catalog).await.latest)[0] == "24.10.5" }).await;
        eventually("its targets", || async { targets(&overview(&catalog).await, "24.10") == ["x86/64"] }).await;
    }
}

#[tokio::test]
async fn an_overview_without_any_target_is_no_answer_while_upstream_fails() {
    let upstream = small_upstream().await;
    let catalog = catalog(&upstream);
    for path in LISTS {
        upstream.set(path, Behaviour::Status(503));
    }
    for release in ["24.10", "23.05"] {
        upstream.set(&format!("releases/{release}-SNAPSHOT/.targets.json"), Behaviour::Status(503));
    }
    let error = catalog.overview().await.unwrap_err();
    assert!(matches!(error, CatalogError::Unavailable { .. }), "{error:?}");
    upstream.behave();
    pass(minutes(2)).await;
    assert_eq!(targets(&overview(&catalog).await, "24.10").len(), 2);
}

#[tokio::test]
async fn without_the_list_of_versions_there_is_no_overview() {
    let upstream = small_upstream().await;
    let catalog = catalog(&upstream);
    upstream.go_away().await;
    let error = catalog.overview().await.unwrap_err();
    assert_eq!(error.to_string(), "cannot fetch .versions.json from upstream");
    upstream.come_back().await;
    pass(minutes(2)).await;
    assert_eq!(targets(&overview(&catalog).await, "24.10").len(), 2);
}
