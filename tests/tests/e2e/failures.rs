//! Builds that cannot succeed end with the words that people search for.

use serde_json::json;

use asu_tests::{Deployment, request};

#[tokio::test(flavor = "multi_thread")]
async fn each_failure_of_a_request_has_its_own_words() {
    let deployment = Deployment::start_with(&[("job_output_timeout", "5s")]).await;
    let too_big = json!({
        "version": "24.10.4", "target": "ath79/generic", "profile": "8dev_carambola2", "packages": ["fault-too-big"],
    });
    let mut other_revision = request("24.10.4", &["tmux"]);
    other_revision["version_code"] = "r1-deadbeef".into();
    let mut other_version = request("24.10.4", &[]);
    other_version["packages_versions"] = json!({"tmux": "0.0-none"});
    for (body, detail, error) in [
        (
            request("24.10.4", &["tmux", "no-such-package"]),
            "Error: Impossible package selection: missing (no-such-package)",
            "impossible_packages",
        ),
        (
            request("25.12.0", &["tmux", "no-such-package", "another-missing"]),
            "Error: Impossible package selection: missing (another-missing, no-such-package)",
            "impossible_packages",
        ),
        (
            other_revision,
            "Error: Received incorrect version r28959-29397011cc (requested r1-deadbeef)",
            "incorrect_version",
        ),
        (too_big, "Error: Selected packages exceed device storage", "too_big"),
        (
            request("24.10.4", &["fault-fail"]),
            "Error: Error while building firmware. See stdout/stderr",
            "image_builder",
        ),
        (request("24.10.4", &["fault-no-json"]), "Error: No JSON file found", "no_json"),
        (request("24.10.4", &["fault-no-profile"]), "Error: Profile not found in JSON file", "profile_not_found"),
    ] {
        let failed = deployment.build(&body).await;
        assert_eq!((failed.status.as_u16(), failed.detail()), (500, detail), "{failed:?}");
        assert_eq!(failed.body["error"], error);
        assert_eq!(failed.body["imagebuilder_status"], "failed");
        assert_eq!(failed.header("x-imagebuilder-status"), "failed");
        assert!(
            failed.body["stdout"].is_string()
                && failed.body["stderr"].is_string()
                && failed.body["request"].is_object()
        );
        let again = deployment.submit(&body).await;
        assert_eq!(again.body, failed.body, "a failure is remembered");
    }
    let failed = deployment.build(&other_version).await;
    let detail = failed.detail();
    assert!(
        detail.starts_with("Error: Impossible package selection: tmux version not as requested: 0.0-none vs. "),
        "{detail}"
    );
    let failed = deployment.build(&request("24.10.4", &["fault-hang"])).await;
    assert_eq!(failed.body["error"], "no_output", "{failed:?}");
    assert_eq!(std::fs::read_dir(deployment.store()).unwrap().count(), 0, "a failed build stores nothing");
    deployment.no_container_is_left().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn conflicting_packages_are_named_by_both_package_managers() {
    let deployment = Deployment::start().await;
    for version in ["24.10.4", "25.12.0"] {
        let failed = deployment.build(&request(version, &["nftables-json", "nftables-nojson"])).await;
        assert_eq!(failed.status, 500, "{failed:?}");
        let detail = failed.detail();
        assert!(detail.starts_with("Error: Impossible package selection: conflicts ("), "{version}: {detail}");
        assert!(detail.contains("nftables-json") && detail.contains("nftables-nojson"), "{version}: {detail}");
        assert!(!detail.contains("missing"), "{version}: {detail}");
    }
}
