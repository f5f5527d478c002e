//! What the catalog answers and refuses, and how often it asks upstream.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::collections::BTreeMap;

use asu_config::Settings;
use asu_core::{Distro, Target, Version};
use asu_test_support::{Behaviour, FakeUpstream, Surroundings, Validators};
use asu_upstream::{Catalog, CatalogError, Catalogs, Config, InvalidUpstream};
use common::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_cold_callers_ask_for_each_file_once_and_warm_ones_for_none() {
    let upstream = small_upstream().await;
    let catalog = catalog(&upstream);
    upstream.set(VERSIONS, Behaviour::Hang);
    let callers: Vec<_> = (0..1000)
        .map(|n| {
            let catalog = catalog.clone();
            let target = ["ath79/generic", "x86/64"][n % 2];
            tokio::spawn(async move { ask(&catalog, "24.10.4", target).await.unwrap().target.to_string() == target })
        })
        .collect();
    upstream.wait_for_hits(VERSIONS, 1).await;
    upstream.behave();
    for caller in callers {
        assert!(caller.await.unwrap());
    }
    for path in [VERSIONS, TARGETS, PROFILES, "releases/24.10.4/targets/x86/64/profiles.json"] {
        assert_eq!(upstream.hits(path), 1, "{path}");
    }
    assert_eq!(upstream.total_hits(), 4);
    for _ in 0..1000 {
        revision(&catalog).await;
    }
    assert_eq!(upstream.total_hits(), 4);
}

#[tokio::test]
async fn a_caller_who_leaves_does_not_take_the_fetch_along() {
    let upstream = small_upstream().await;
    let catalog = catalog(&upstream);
    upstream.set(VERSIONS, Behaviour::Hang);
    let impatient = tokio::spawn({
        let catalog = catalog.clone();
        async move { revision(&catalog).await }
    });
    upstream.wait_for_hits(VERSIONS, 1).await;
    impatient.abort();
    assert!(impatient.await.is_err());
    upstream.behave();
    assert_eq!(revision(&catalog).await, "r28959-a");
    assert_eq!(upstream.hits(VERSIONS), 1);
}

#[tokio::test]
async fn refusals_come_in_order_and_have_their_texts() {
    let upstream = small_upstream().await;
    let settings = settings(&upstream).with("branches", toml::toml! { "23.05" = { enabled = false } });
    let catalogs = Catalogs::new(&settings.section::<Config>().unwrap()).unwrap();
    let text_of = async |distro: &str, version: &str, target: &str| {
        let (version, target) = (Version::parse(version).unwrap(), Target::parse(target).unwrap());
        match catalogs.of(&Distro::parse(distro).unwrap()) {
            Ok(catalog) => catalog.profiles(&version, &target).await.unwrap_err().to_string(),
            Err(error) => error.to_string(),
        }
    };
    for (distro, version, target, text) in [
        ("lede", "17.01", "bad/target", "Unsupported distro: lede"),
        ("openwrt", "18.06.1", "bad/target", "Unsupported branch: 18.06.1"),
        ("openwrt", "23.05.5", "bad/target", "Unsupported branch: 23.05.5"),
        ("openwrt", "..", "bad/target", "Unsupported branch: .."),
        ("openwrt", "", "bad/target", "Unsupported branch: "),
        ("openwrt", "24.10.99", "bad/target", "Unsupported version: 24.10.99"),
        ("openwrt", "SNAPSHOT-SNAPSHOT", "bad/target", "Unsupported version: SNAPSHOT-SNAPSHOT"),
        (
            "openwrt",
            "24.10.4",
            "bad/target",
            "Unsupported target: bad/target. The requested target was either dropped, is still being built or is not \
             supported by the selected version. Please check the forums or try again later.",
        ),
    ] {
        assert_eq!(text_of(distro, version, target).await, text);
    }
    // Nothing that is refused by a list is asked for.
    assert_eq!(upstream.total_hits(), upstream.hits(VERSIONS) + upstream.hits(TARGETS));
}

#[tokio::test]
async fn a_target_that_is_still_being_built_is_refused_as_that() {
    let upstream = small_upstream().await;
    let catalog = catalog(&upstream);
    upstream.remove(PROFILES);
    let error = ask(&catalog, "24.10.4", "ath79/generic").await.unwrap_err();
    assert!(matches!(error, CatalogError::UnsupportedTarget(target) if target.as_str() == "ath79/generic"));
}

#[tokio::test]
async fn what_upstream_does_not_have_is_not_asked_for_again_at_once() {
    let upstream = small_upstream().await;
    let catalog = catalog(&upstream);
    upstream.remove(PROFILES);
    for _ in 0..3 {
        assert!(ask(&catalog, "24.10.4", "ath79/generic").await.is_err());
    }
    assert_eq!(upstream.hits(PROFILES), 1);
    put_profiles(&upstream, "releases/24.10.4", "ath79/generic", "r1-new");
    pass(minutes(2)).await;
    assert_eq!(revision(&catalog).await, "r1-new");
}

#[tokio::test]
async fn a_file_that_is_unchanged_is_not_sent_again() {
    for validators in [Validators::Etag, Validators::LastModified, Validators::None] {
        let upstream = small_upstream().await;
        upstream.set_validators(validators);
        let catalog = catalog(&upstream);
        assert_eq!(revision(&catalog).await, "r28959-a");
        pass(minutes(30)).await;
        assert_eq!(revision(&catalog).await, "r28959-a");
        let expected = if validators == Validators::None { 0 } else { 1 };
        assert_eq!((upstream.hits(PROFILES), upstream.not_modified(PROFILES)), (2, expected), "{validators:?}");
        put_profiles(&upstream, "releases/24.10.4", "ath79/generic", "r2-changed");
        pass(minutes(30)).await;
        assert_eq!(revision(&catalog).await, "r2-changed", "{validators:?}");
        assert_eq!(catalog.health().fetches.unchanged, [5, 0][usize::from(expected == 0)], "{validators:?}");
    }
}

#[tokio::test]
async fn a_copy_past_its_time_is_served_while_a_newer_one_is_fetched() {
    let upstream = small_upstream().await;
    let catalog = catalog(&upstream);
    revision(&catalog).await;
    put_profiles(&upstream, "releases/24.10.4", "ath79/generic", "r2-changed");
    upstream.set_everywhere(Behaviour::Hang);
    pass(minutes(15)).await;
    for _ in 0..100 {
        assert_eq!(promptly(revision(&catalog)).await, "r28959-a");
    }
    upstream.wait_for_hits(PROFILES, 2).await;
    upstream.behave();
    eventually("the newer copy is served", || async { revision(&catalog).await == "r2-changed" }).await;
    assert_eq!(upstream.hits(PROFILES), 2);
}

#[tokio::test]
async fn an_outdated_copy_is_served_when_the_newer_one_takes_too_long() {
    let upstream = small_upstream().await;
    let catalog = catalog_with(&settings(&upstream).with("upstream_patience", "10ms"));
    revision(&catalog).await;
    upstream.set_everywhere(Behaviour::Hang);
    pass(minutes(60)).await;
    assert_eq!(promptly(revision(&catalog)).await, "r28959-a");
    upstream.wait_for_hits(PROFILES, 2).await;
}

#[tokio::test]
async fn versions_are_listed_newest_first_with_snapshots() {
    let upstream = small_upstream().await;
    upstream
        .put(VERSIONS, r#"{"upcoming_version": "25.12.0-rc1", "versions_list": ["24.10.9", "24.10.10", "18.06.1"]}"#);
    let settings = settings(&upstream).with(
        "branches",
        toml::toml! {
            "21.02" = { enabled = false }
            "22.03" = { enabled = false }
        },
    );
    let versions = catalog_with(&settings).versions().await.unwrap();
    let versions: Vec<_> = versions.iter().map(Version::as_str).collect();
    let expected =
        ["SNAPSHOT", "25.12.0-rc1", "25.12-SNAPSHOT", "24.10.10", "24.10.9", "24.10-SNAPSHOT", "23.05-SNAPSHOT"];
    assert_eq!(versions, expected);
}

#[tokio::test]
async fn snapshots_are_versions() {
    let upstream = small_upstream().await;
    upstream.put("releases/24.10-SNAPSHOT/.targets.json", r#"{"x86/64": "x86_64"}"#);
    put_profiles(&upstream, "releases/24.10-SNAPSHOT", "x86/64", "r28981-d");
    let catalog = catalog(&upstream);
    assert_eq!(ask(&catalog, "SNAPSHOT", "x86/64").await.unwrap().version_code.as_str(), "r35214-c");
    assert_eq!(ask(&catalog, "24.10-SNAPSHOT", "x86/64").await.unwrap().version_code.as_str(), "r28981-d");
    assert_eq!(upstream.hits(VERSIONS), 0);
}

#[tokio::test]
async fn targets_of_a_version_are_listed_or_not_there() {
    let upstream = small_upstream().await;
    let catalog = catalog(&upstream);
    let targets = async |version: &str| catalog.targets(&Version::parse(version).unwrap()).await;
    let listed = targets("24.10.4").await.unwrap().unwrap();
    let listed: BTreeMap<_, _> = listed.iter().map(|(target, arch)| (target.as_str(), arch.as_str())).collect();
    assert_eq!(listed, BTreeMap::from([("ath79/generic", "mips_24kc"), ("x86/64", "x86_64")]));
    assert!(targets("25.12-SNAPSHOT").await.unwrap().is_none());
    assert!(matches!(targets("24.10.5").await, Err(CatalogError::UnsupportedVersion(_))));
}

#[tokio::test]
async fn the_mirror_is_read_and_the_public_url_is_told() {
    let mirror = small_upstream().await;
    let public = FakeUpstream::start().await;
    let settings = settings(&public).with("upstream_mirror_url", format!("{}/", mirror.url()));
    let catalog = catalog_with(&settings);
    assert_eq!(revision(&catalog).await, "r28959-a");
    assert_eq!(catalog.upstream_url(), public.url());
    assert_eq!(public.total_hits(), 0);
}

#[tokio::test]
async fn only_so_many_files_are_held() {
    let upstream = small_upstream().await;
    let catalog = catalog_with(&settings(&upstream).with("upstream_max_files", 2));
    for version in ["24.10.4", "23.05.5", "24.10.4", "SNAPSHOT", "24.10.4"] {
        ask(&catalog, version, "x86/64").await.unwrap();
    }
    // Three versions were asked for; the least recently used one had to go.
    assert_eq!(catalog.health().files, 1 + 2 + 2);
    assert_eq!(upstream.total_hits(), 1 + 3 + 3);
    ask(&catalog, "23.05.5", "x86/64").await.unwrap();
    assert_eq!(upstream.hits("releases/23.05.5/targets/x86/64/profiles.json"), 2);
}

#[tokio::test]
async fn settings_that_cannot_work_are_refused_by_name() {
    let upstream = FakeUpstream::start().await;
    let refused = |key: &str, value: toml::Value| -> InvalidUpstream {
        Catalog::new(&settings(&upstream).with(key, value).section().unwrap()).err().unwrap()
    };
    assert_eq!(
        refused("upstream_url", "downloads.openwrt.org".into()).to_string(),
        r#"the setting upstream_url must be an http or https URL, not "downloads.openwrt.org""#
    );
    assert!(matches!(refused("upstream_mirror_url", "ftp://a".into()), InvalidUpstream::Url { .. }));
    assert!(matches!(refused("upstream_max_files", 0.into()), InvalidUpstream::Zero("upstream_max_files")));
    assert!(matches!(refused("upstream_max_indexes", 0.into()), InvalidUpstream::Zero("upstream_max_indexes")));
    assert!(matches!(refused("upstream_max_connections", 0.into()), InvalidUpstream::Zero(_)));
}

#[tokio::test]
async fn the_fixture_tree_is_read_in_full() {
    let upstream = FakeUpstream::serving(&Surroundings::get().upstream_tree).await;
    let catalog = catalog(&upstream);
    let mut read = 0;
    for version in catalog.versions().await.unwrap() {
        let Some(targets) = catalog.targets(&version).await.unwrap() else { continue };
        for (target, arch) in targets.iter() {
            let metadata = ask(&catalog, version.as_str(), target.as_str()).await.unwrap();
            assert_eq!((&metadata.target, &metadata.arch_packages), (target, arch), "{version}");
            read += 1;
        }
    }
    assert!(read >= 12, "the fixture tree has {read} targets");
    assert_eq!(catalog.health().failing_files, 0);
}

#[tokio::test]
async fn every_distribution_has_its_own_upstream_and_branches() {
    let (openwrt, other) = (small_upstream().await, small_upstream().await);
    let distros = format!(
        "[other]\nupstream_url = {url:?}\n[limited]\nupstream_url = {url:?}\n[limited.branches.\"24.10\"]\n",
        url = other.url()
    );
    let distros: toml::Table = distros.parse().unwrap();
    let settings = settings(&openwrt).with("distros", distros);
    let catalogs = Catalogs::new(&settings.section::<Config>().unwrap()).unwrap();
    let names: Vec<_> = catalogs.iter().map(|(distro, _)| distro.to_string()).collect();
    assert_eq!(names, ["openwrt", "limited", "other"]);
    let of = |name: &str| catalogs.of(&Distro::parse(name).unwrap()).unwrap();
    assert_eq!(revision(of("other")).await, "r28959-a");
    assert_eq!((openwrt.total_hits(), of("other").upstream_url()), (0, &*other.url()));
    let branches_of = |name: &str| of(name).branches().iter().count();
    assert_eq!((branches_of("other"), branches_of("limited")), (branches_of("openwrt"), 1));
}

#[tokio::test]
async fn a_distribution_that_cannot_be_told_from_others_is_refused() {
    for (name, reason) in [("openwrt", "is built in"), ("a b", "letters, digits"), ("", "letters, digits")] {
        let mut distros = toml::Table::new();
        distros.insert(name.to_owned(), toml::Value::Table(toml::toml! { upstream_url = "https://x.example" }));
        let settings = Settings::defaults().with("distros", distros);
        let error = Catalogs::new(&settings.section::<Config>().unwrap()).err().unwrap();
        assert!(error.to_string().contains(reason), "{error}");
    }
}
