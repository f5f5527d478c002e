//! A small upstream and a catalog that reads it.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::{future::Future, sync::Arc, time::Duration};

use asu_config::Settings;
use asu_core::{Target, TargetMetadata, Version};
use asu_test_support::FakeUpstream;
use asu_upstream::{Catalog, CatalogError, Config};
use tokio::time;

pub(crate) const VERSIONS: &str = ".versions.json";
pub(crate) const TARGETS: &str = "releases/24.10.4/.targets.json";
pub(crate) const PROFILES: &str = "releases/24.10.4/targets/ath79/generic/profiles.json";

/// 24.10.4, 23.05.5 and SNAPSHOT, each with ath79/generic and x86/64.
pub(crate) async fn small_upstream() -> FakeUpstream {
    let upstream = FakeUpstream::start().await;
    upstream.put(
        VERSIONS,
        r#"{"stable_version": "24.10.4", "oldstable_version": "23.05.5", "versions_list": ["24.10.4", "23.05.5"]}"#,
    );
    for (directory, revision) in
        [("releases/24.10.4", "r28959-a"), ("releases/23.05.5", "r24106-b"), ("snapshots", "r35214-c")]
    {
        upstream.put(&format!("{directory}/.targets.json"), r#"{"ath79/generic": "mips_24kc", "x86/64": "x86_64"}"#);
        put_profiles(&upstream, directory, "ath79/generic", revision);
        put_profiles(&upstream, directory, "x86/64", revision);
    }
    upstream
}

pub(crate) fn put_profiles(upstream: &FakeUpstream, directory: &str, target: &str, revision: &str) {
    let json = format!(
        r#"{{"arch_packages": "mips_24kc", "target": "{target}", "version_code": "{revision}",
            "profiles": {{"8dev_carambola2": {{"supported_devices": ["8dev,carambola2"]}}}}}}"#
    );
    upstream.put(&format!("{directory}/targets/{target}/profiles.json"), json);
}

pub(crate) fn settings(upstream: &FakeUpstream) -> Settings {
    Settings::defaults().with("upstream_url", upstream.url())
}

pub(crate) fn catalog_with(settings: &Settings) -> Catalog {
    Catalog::new(&settings.section::<Config>().unwrap()).unwrap()
}

pub(crate) fn catalog(upstream: &FakeUpstream) -> Catalog {
    catalog_with(&settings(upstream))
}

/// The target's metadata in openwrt.
pub(crate) async fn ask(catalog: &Catalog, version: &str, target: &str) -> Result<Arc<TargetMetadata>, CatalogError> {
    catalog.profiles(&Version::parse(version).unwrap(), &Target::parse(target).unwrap()).await
}

/// The revision that the catalog has of ath79/generic in 24.10.4.
pub(crate) async fn revision(catalog: &Catalog) -> String {
    ask(catalog, "24.10.4", "ath79/generic").await.unwrap().version_code.to_string()
}

/// Moves the clock of the runtime; fetches see time pass, too, so none may be under way.
pub(crate) async fn pass(duration: Duration) {
    time::pause();
    time::advance(duration).await;
    time::resume();
}

pub(crate) fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(60 * minutes)
}

/// Waits for a state, not for a time.
pub(crate) async fn eventually<F: Future<Output = bool>>(what: &str, mut is_so: impl FnMut() -> F) {
    let reached = async {
        while !is_so().await {
            time::sleep(Duration::from_millis(2)).await;
        }
    };
    time::timeout(Duration::from_secs(60), reached).await.unwrap_or_else(|_| panic!("never: {what}"));
}

/// What must not wait for an upstream that hangs: a fetch is given up after half a minute, and not before.
pub(crate) async fn promptly<T>(future: impl Future<Output = T>) -> T {
    time::timeout(Duration::from_secs(25), future).await.expect("this waits for upstream")
}
