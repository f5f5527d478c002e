//! Custom package repositories.

use asu_core::BuildFailure;
use serde_json::json;

use crate::bench::{Bench, done, failed, request};

/// A mirror of the feed that most packages are in: a miniature takes it for upstream's.
const MIRROR: &str = "https://mirror.example.org/releases/24.10.4/packages/mips_24kc/base";

async fn bench() -> Bench {
    let mut bench = Bench::new().await;
    let allowed = toml::Value::Array(vec!["https://mirror.example.org/releases".into()]);
    bench.settings = bench.settings.with("repository_allow_list", allowed);
    bench
}

#[tokio::test]
async fn repositories_are_added_or_replace_the_own_ones() {
    let bench = bench().await;
    let worker = bench.worker().await;
    let with = |mode: &str| {
        request(json!({"repositories": {"mine": MIRROR}, "repositories_mode": mode, "packages": ["luci"]}))
    };
    done(bench.build(&with("append")).await);
    // luci is in another feed, which is replaced.
    let failed = failed(bench.build(&with("replace")).await);
    let BuildFailure::ImpossiblePackages { missing, .. } = &failed.failure else { panic!("{failed:#?}") };
    assert!(missing.contains(&"luci".to_owned()) && !missing.contains(&"busybox".to_owned()), "{missing:?}");
    worker.stop().await;
}

#[tokio::test]
async fn a_repository_that_is_not_allowed_is_refused_here_too() {
    let bench = bench().await;
    let worker = bench.worker().await;
    let request = request(json!({"repositories": {"evil": "https://mirror.example.org.evil.org/x"}}));
    let failed = failed(bench.build(&request).await);
    assert_eq!(failed.log.stderr, "Repository not allowed: https://mirror.example.org.evil.org/x\n");
    worker.stop().await;
}

#[tokio::test]
async fn a_repository_that_is_not_there_fails_the_build() {
    let bench = bench().await;
    let worker = bench.worker().await;
    let url = "https://mirror.example.org/releases/nowhere";
    let request = request(json!({"repositories": {"gone": url}, "repositories_mode": "append", "packages": ["mine"]}));
    let failed = failed(bench.build(&request).await);
    assert_eq!(failed.failure, BuildFailure::ImageBuilder);
    assert!(failed.log.stderr.contains(url), "{}", failed.log.stderr);
    worker.stop().await;
}
