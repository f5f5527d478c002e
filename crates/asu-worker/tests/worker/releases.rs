//! Builds of releases, with either package manager.

use std::{fs, path::Path, process::Command};

use asu_core::BuildResult;
use asu_queue::BuildStatus;
use serde_json::json;

use crate::bench::{Bench, done, request, request_for, sha256, until};

fn assert_stored(bench: &Bench, result: &BuildResult) {
    let directory = bench.store().join(&result.bin_dir);
    let images = result.metadata["images"].as_array().unwrap();
    assert!(!images.is_empty());
    for image in images {
        assert_eq!(sha256(&directory.join(image["name"].as_str().unwrap())), image["sha256"], "{image}");
    }
    assert!(directory.join("sha256sums").is_file());
}

#[tokio::test]
async fn a_release_with_opkg_is_built_and_stored() {
    let bench = Bench::new().await;
    let worker = bench.worker().await;
    let request = request(json!({"packages": ["iwinfo", "-ppp"], "version_code": "r28959-29397011cc"}));
    let hash = bench.enqueue(&request).await;
    let result = done(bench.outcome(&hash).await);
    assert_stored(&bench, &result);
    assert_eq!(result.id, "buffalo_wzr-hp-g300nh-rb");
    assert!(result.bin_dir.starts_with(hash.as_str()));
    assert_eq!(result.build_at, "2025-10-19T16:43:31.000000Z");
    assert_eq!(result.build_cmd_packages, ["iwinfo", "-ppp"]);
    assert_eq!(result.build_cmd[..3], ["make", "image", "PROFILE=buffalo_wzr-hp-g300nh-rb"]);
    assert!(result.manifest.contains_key("iwinfo") && !result.manifest.contains_key("ppp"));
    assert_eq!(result.metadata["version_code"], "r28959-29397011cc");
    assert!(result.log.stdout.contains("Generate checksums"), "{}", result.log.stdout);
    let provenance = result.provenance.unwrap();
    assert_eq!(provenance.upstream_url, "https://downloads.openwrt.org/releases/24.10.4/targets/ath79/generic");
    let stages: Vec<_> = provenance.stage_durations_ms.keys().map(String::as_str).collect();
    assert_eq!(stages, ["building_image", "container_setup", "init", "validate_manifest", "validate_revision"]);
    assert_eq!(bench.stored(), [result.bin_dir]);
    assert_eq!(worker.metric("asu_worker_builds_total{result=\"done\"}").await, 1.0);
    assert_eq!(worker.metric("asu_worker_stage_duration_seconds_count{stage=\"building_image\"}").await, 1.0);
    bench.assert_clean(&[&hash]).await;
    worker.stop().await;
}

#[tokio::test]
async fn a_release_with_apk_is_built_and_stored() {
    let bench = Bench::new().await;
    let worker = bench.worker().await;
    let packages = ["base-files", "busybox", "dnsmasq", "libc"];
    let request = request(json!({
        "version": "25.12.0", "target": "mediatek/filogic", "profile": "glinet_gl-mt6000",
        "packages": packages, "diff_packages": true,
    }));
    let result = done(bench.build(&request).await);
    assert_stored(&bench, &result);
    assert!(!result.manifest.contains_key("dropbear") && result.manifest.contains_key("dnsmasq"));
    let (removed, asked) = result.build_cmd_packages.split_at(result.build_cmd_packages.len() - packages.len());
    assert!(removed.is_sorted() && removed.contains(&"-dropbear".to_owned()), "{removed:?}");
    assert_eq!(asked, packages);
    worker.stop().await;
}

#[tokio::test]
async fn a_first_boot_script_is_in_the_root_filesystem() {
    let bench = Bench::new().await;
    let worker = bench.worker().await;
    let script = "uci set system.@system[0].hostname='tést'\nexit 0\n";
    let result = done(
        bench
            .build(&request(json!({
                "target": "x86/64", "profile": "generic", "defaults": script, "rootfs_size_mb": 32,
                "filesystem": "squashfs",
            })))
            .await,
    );
    let images = result.metadata["images"].as_array().unwrap();
    assert!(images.iter().all(|image| image["filesystem"] != "ext4"), "{images:?}");
    assert!(result.build_cmd.contains(&"ROOTFS_PARTSIZE=32".to_owned()), "{:?}", result.build_cmd);
    let rootfs = images.iter().find(|image| image["type"] == "rootfs").unwrap()["name"].as_str().unwrap();
    let image = bench.store().join(&result.bin_dir).join(rootfs);
    assert_eq!(first_boot_script(&image, bench.store().parent().unwrap()), script);
    worker.stop().await;
}

fn first_boot_script(image: &Path, directory: &Path) -> String {
    let unpacked = directory.join("rootfs");
    let gunzip = Command::new("gunzip").arg("-c").arg(image).stdout(fs::File::create(&unpacked).unwrap()).status();
    // The image is padded, which gunzip warns of.
    assert!(matches!(gunzip.unwrap().code(), Some(0 | 2)));
    let path = "etc/uci-defaults/99-asu-defaults";
    let output = Command::new("unsquashfs").arg("-cat").arg(&unpacked).arg(path).output().expect("squashfs-tools");
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn as_many_builds_run_as_the_settings_say() {
    let bench = Bench::new().await;
    let mut hashes = Vec::new();
    // The first two run for half a minute, so that both are seen at it.
    for packages in [&["fault-slow-30", "iwinfo"][..], &["fault-slow-30", "uhttpd"], &["rpcd"]] {
        hashes.push(bench.enqueue(&request_for(packages)).await);
    }
    let worker = bench.worker_with(&[("concurrency", 2)]).await;
    bench.until_building(&hashes[0]).await;
    bench.until_building(&hashes[1]).await;
    let third = bench.queue.status(&hashes[2]).await.unwrap();
    assert!(matches!(third, Some(BuildStatus::Queued { position: 0, .. })), "{third:?}");
    assert_eq!(worker.metric("asu_worker_busy").await, 2.0);
    for hash in &hashes {
        done(bench.outcome(hash).await);
    }
    bench.assert_clean(&hashes.iter().collect::<Vec<_>>()).await;
    until("nothing runs", || async { (worker.metric("asu_worker_busy").await == 0.0).then_some(()) }).await;
    // One ImageBuilder for all of them.
    assert_eq!(worker.metric("asu_worker_pulls_total").await, 1.0);
    worker.stop().await;
}
