//! Lists of packages: which of upstream's files they come from, and what a missing or broken one does.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::collections::BTreeMap;

use asu_core::{Arch, Target, Version, merge_feeds};
use asu_test_support::{Behaviour, FakeUpstream};
use asu_upstream::{Catalog, CatalogError};
use common::*;

const TARGET: &str = "releases/24.10.4/targets/x86/64";
const ARCH: &str = "releases/24.10.4/packages/x86_64";
const V2: &str = r#"{"architecture": "x86_64", "packages": {"liba": "2"}, "version": 2}"#;
const V1: &str = r#"{"architecture": "x86_64", "packages": {"liba1": "1"}}"#;
const TEXT: &str = "Package: liba1\nABIVersion: 1\nVersion: 3\nArchitecture: x86_64\n\n";

async fn upstream_with(files: &[(&str, &str)]) -> FakeUpstream {
    let upstream = small_upstream().await;
    for (path, text) in files {
        upstream.put(path, (*text).to_owned());
    }
    upstream
}

type Packages = Option<Vec<(String, String)>>;

async fn target_packages(catalog: &Catalog, version: &str) -> Result<Packages, CatalogError> {
    let (version, target) = (Version::parse(version).unwrap(), Target::parse("x86/64").unwrap());
    let index = catalog.target_index(&version, &target).await?;
    Ok(index.map(|index| index.packages.into_iter().collect()))
}

async fn arch_packages(catalog: &Catalog, arch: &str) -> Result<Packages, CatalogError> {
    let (version, arch) = (Version::parse("24.10.4").unwrap(), Arch::parse(arch).unwrap());
    let feeds = catalog.arch_index(&version, &arch).await?;
    let own = |packages: BTreeMap<&str, &str>| {
        packages.into_iter().map(|(name, version)| (name.to_owned(), version.to_owned())).collect()
    };
    Ok(feeds.map(|feeds| own(merge_feeds(&feeds))))
}

fn packages(list: &[(&str, &str)]) -> Packages {
    Some(list.iter().map(|&(name, version)| (name.to_owned(), version.to_owned())).collect())
}

#[tokio::test]
async fn the_best_of_a_directorys_files_tells_its_packages() {
    let (json, text) = (&*format!("{TARGET}/packages/index.json"), &*format!("{TARGET}/packages/Packages"));
    for (files, expected) in [
        (&[(json, V2), (text, TEXT)][..], packages(&[("liba", "2")])),
        (&[(json, V1), (text, TEXT)], packages(&[("liba", "3")])),
        (&[(text, TEXT)], packages(&[("liba", "3")])),
        (&[(json, "<html>"), (text, TEXT)], packages(&[("liba", "3")])),
        (&[(json, V1)], packages(&[("liba1", "1")])),
        (&[], None),
    ] {
        let upstream = upstream_with(files).await;
        let catalog = catalog(&upstream);
        assert_eq!(target_packages(&catalog, "24.10.4").await.unwrap(), expected, "{files:?}");
    }
    for files in [&[(json, "<html>")][..], &[(json, V1), (text, "<html>")]] {
        let upstream = upstream_with(files).await;
        let catalog = catalog(&upstream);
        let error = target_packages(&catalog, "24.10.4").await.unwrap_err();
        assert!(matches!(error, CatalogError::Unavailable { .. }), "{files:?}: {error:?}");
    }
}

#[tokio::test]
async fn kernel_modules_are_added_where_they_lie_apart() {
    let kernel = r#"{"arch_packages": "x86_64", "target": "x86/64", "version_code": "r1-a", "profiles": {"generic": {}},
        "linux_kernel": {"version": "6.6.110", "release": "1", "vermagic": "abc"}}"#;
    let kmods = r#"{"architecture": "x86_64", "packages": {"kmod-b": "6"}, "version": 2}"#;
    for (version, has_kmods) in [("24.10.4", true), ("23.05.5", false)] {
        let target = format!("releases/{version}/targets/x86/64");
        let upstream = upstream_with(&[
            (&format!("{target}/profiles.json"), kernel),
            (&format!("{target}/packages/index.json"), V2),
            (&format!("{target}/kmods/6.6.110-1-abc/index.json"), kmods),
        ])
        .await;
        let expected: &[_] = if has_kmods { &[("kmod-b", "6"), ("liba", "2")] } else { &[("liba", "2")] };
        assert_eq!(target_packages(&catalog(&upstream), version).await.unwrap(), packages(expected), "{version}");
        upstream.remove(&format!("{target}/kmods/6.6.110-1-abc/index.json"));
        assert_eq!(target_packages(&catalog(&upstream), version).await.unwrap(), packages(&[("liba", "2")]));
        upstream.set(&format!("{target}/kmods/6.6.110-1-abc/index.json"), Behaviour::Status(503));
        assert_eq!(target_packages(&catalog(&upstream), version).await.is_err(), has_kmods, "{version}");
    }
}

#[tokio::test]
async fn the_feeds_of_an_architecture_are_one_list() {
    let upstream = upstream_with(&[
        (
            &format!("{ARCH}/feeds.conf"),
            "# ours\nsrc-git base https://x\nsrc-git old https://x\nsrc-git gone https://x\n",
        ),
        (&format!("{ARCH}/base/index.json"), V2),
        (&format!("{ARCH}/old/index.json"), V1),
        (&format!("{ARCH}/old/Packages"), "Package: b\nVersion: 1\n"),
    ])
    .await;
    let catalog = catalog(&upstream);
    let expected = packages(&[("b", "1"), ("liba", "2")]);
    assert_eq!(arch_packages(&catalog, "x86_64").await.unwrap(), expected);
    let hits = upstream.total_hits();
    for _ in 0..100 {
        assert_eq!(arch_packages(&catalog, "x86_64").await.unwrap(), expected);
    }
    assert_eq!(upstream.total_hits(), hits, "warm lists cost nothing");
    upstream.go_away().await;
    pass(minutes(24 * 60)).await;
    assert_eq!(arch_packages(&catalog, "x86_64").await.unwrap(), expected, "stale");
}

#[tokio::test]
async fn an_architecture_that_upstream_does_not_name_is_not_asked_for() {
    let upstream = small_upstream().await;
    let catalog = catalog(&upstream);
    for arch in ["mips_64", "..", "."] {
        assert_eq!(arch_packages(&catalog, arch).await.unwrap(), None, "{arch}");
    }
    assert_eq!(upstream.total_hits(), upstream.hits(VERSIONS) + upstream.hits(TARGETS));
    assert_eq!(arch_packages(&catalog, "x86_64").await.unwrap(), None, "there is no feeds.conf");
}

#[tokio::test]
async fn without_the_list_of_targets_an_architecture_is_looked_for_below_its_own_directory() {
    let upstream = upstream_with(&[
        (&format!("{ARCH}/feeds.conf"), "src-git base https://x\n"),
        (&format!("{ARCH}/base/index.json"), V2),
        ("releases/24.10.4/feeds.conf", "src-git base https://x\n"),
    ])
    .await;
    upstream.set(TARGETS, Behaviour::Status(503));
    let catalog = catalog(&upstream);
    assert_eq!(arch_packages(&catalog, "x86_64").await.unwrap(), packages(&[("liba", "2")]));
    assert_eq!(arch_packages(&catalog, "..").await.unwrap(), None);
    assert_eq!(upstream.hits("releases/24.10.4/feeds.conf"), 0);
}

#[tokio::test]
async fn a_broken_feed_makes_the_list_unavailable_and_no_other() {
    let upstream = upstream_with(&[
        (&format!("{ARCH}/feeds.conf"), "src-git base https://x\n"),
        (&format!("{TARGET}/packages/index.json"), V2),
    ])
    .await;
    upstream.set(&format!("{ARCH}/base/index.json"), Behaviour::Garbage);
    let catalog = catalog(&upstream);
    let error = arch_packages(&catalog, "x86_64").await.unwrap_err();
    assert_eq!(error.to_string(), format!("cannot fetch {ARCH}/base/index.json from upstream"));
    assert!(target_packages(&catalog, "24.10.4").await.unwrap().is_some());
    upstream.behave();
    upstream.put(&format!("{ARCH}/base/index.json"), V2);
    pass(minutes(2)).await;
    assert_eq!(arch_packages(&catalog, "x86_64").await.unwrap(), packages(&[("liba", "2")]));
}
