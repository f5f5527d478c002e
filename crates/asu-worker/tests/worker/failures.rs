//! Builds that fail by the request's own fault: each has its kind and is stored.

use asu_core::BuildFailure;
use serde_json::{Value, json};

use crate::bench::{Bench, failed, failure, request, request_for};

#[tokio::test]
async fn each_fault_of_a_request_has_its_kind() {
    let bench = Bench::new().await;
    let worker = bench.worker_with(&[("concurrency", 2)]).await;
    let packages = |names: &[&str]| json!({"packages": names});
    let cases: [(Value, &str); 15] = [
        (packages(&["nope"]), "impossible_packages"),
        (packages(&["firewall"]), "impossible_packages"),
        (packages(&["fault-clash"]), "impossible_packages"),
        (json!({"version": "25.12.0", "packages": ["fault-clash"]}), "impossible_packages"),
        (json!({"target": "x86/64", "profile": "generic", "packages": ["fault-space"]}), "too_big"),
        (json!({"version_code": "r1-abc"}), "incorrect_version"),
        (json!({"packages_versions": {"iwinfo": "1"}}), "other_version"),
        // Only a name that others provide.
        (json!({"packages_versions": {"nftables": "1"}}), "not_in_manifest"),
        (packages(&["fault-too-big"]), "too_big"),
        (packages(&["fault-fail"]), "image_builder"),
        (packages(&["fault-no-json"]), "no_json"),
        (packages(&["fault-no-profile"]), "profile_not_found"),
        (packages(&["fault-hostile-links"]), "unusable_images"),
        (json!({"version": "24.10.99"}), "image_not_found"),
        (json!({"profile": "no_such_device"}), "image_builder"),
    ];
    let mut hashes = Vec::new();
    for (changes, _) in &cases {
        hashes.push(bench.enqueue(&request(changes.clone())).await);
    }
    for (hash, (changes, kind)) in hashes.iter().zip(&cases) {
        let failure = failure(bench.outcome(hash).await);
        assert_eq!(failure.kind(), *kind, "{changes}: {failure}");
        assert_eq!(worker.metric(&format!("asu_worker_builds_total{{result=\"{kind}\"}}")).await.min(1.0), 1.0);
    }
    bench.assert_clean(&hashes.iter().collect::<Vec<_>>()).await;
    assert_eq!(bench.stored(), [""; 0]);
    worker.stop().await;
}

#[tokio::test]
async fn a_failure_says_what_was_wrong() {
    let bench = Bench::new().await;
    let worker = bench.worker_with(&[("concurrency", 2)]).await;
    let missing = failed(bench.build(&request_for(&["nope", "iwinfo"])).await);
    let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(missing.failure, BuildFailure::ImpossiblePackages { missing: names(&["nope"]), conflicts: names(&[]) });
    assert!(missing.log.stderr.contains("Cannot install package nope"), "{}", missing.log.stderr);
    assert!(missing.build_cmd.is_empty());

    let conflict = failed(bench.build(&request(json!({"version": "25.12.0", "packages": ["nftables-nojson"]}))).await);
    let BuildFailure::ImpossiblePackages { missing, conflicts } = conflict.failure else { panic!("{conflict:?}") };
    assert_eq!(missing, names(&[]));
    assert!(conflicts.contains(&"nftables-nojson".to_owned()), "{conflicts:?}");

    let too_big = failure(bench.build(&request_for(&["fault-too-big"])).await);
    let BuildFailure::TooBig(oversize) = too_big else { panic!("{too_big:?}") };
    assert!(oversize.what.unwrap().ends_with("-squashfs-factory.bin"));
    assert_eq!((oversize.size, oversize.limit), (Some(999_999 * 1024), Some(16_000 * 1024)));

    let broken = failed(bench.build(&request_for(&["fault-fail"])).await);
    assert!(broken.log.stderr.contains("cannot find the end of the world"), "{}", broken.log.stderr);
    assert_eq!(broken.build_cmd[1], "image");

    let gone = failure(bench.build(&request(json!({"version": "24.10.99"}))).await);
    assert!(gone.to_string().contains("/imagebuilder:ath79-generic-v24.10.99."), "{gone}");
    worker.stop().await;
}

/// A wrong digest may come of a broken transfer, so it is tried again; not for ever.
#[tokio::test]
async fn damaged_images_are_never_stored() {
    let bench = Bench::new().await;
    let worker = bench.worker().await;
    let request = request_for(&["fault-bad-sha"]);
    let hash = bench.enqueue(&request).await;
    let failure = failure(bench.outcome(&hash).await);
    assert_eq!(failure.kind(), "unusable_images");
    assert!(failure.to_string().contains("another digest"), "{failure}");
    assert_eq!(worker.metric("asu_worker_builds_total{result=\"postponed\"}").await, 2.0);
    bench.assert_clean(&[&hash]).await;
    assert_eq!(bench.stored(), [""; 0]);
    worker.stop().await;
}
