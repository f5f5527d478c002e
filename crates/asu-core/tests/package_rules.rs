//! The built-in package rules, against the golden cases and against the promises of resolution.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use asu_core::{ChangeKind, PackageRules, PackageSelector, RequestForm, RequestHash, Resolution};
use serde::Deserialize;

mod common;
use common::{parse, request_json};

#[derive(Deserialize)]
struct Golden {
    version: String,
    target: String,
    profile: String,
    requested: Vec<String>,
    expected: Vec<String>,
}

fn names(packages: &[PackageSelector]) -> Vec<String> {
    packages.iter().map(ToString::to_string).collect()
}

#[test]
fn every_golden_case_resolves_as_expected() {
    let cases: Vec<Golden> = serde_json::from_str(include_str!("package_rules.golden.json")).unwrap();
    assert_eq!(cases.len(), 848);
    for case in cases {
        let body = serde_json::json!({
            "version": case.version, "target": case.target, "profile": case.profile, "packages": case.requested,
        });
        let resolution = PackageRules::built_in().resolve(parse(&body, RequestForm::Raw).unwrap());
        let place = format!("{} {} {}: {:?}", case.version, case.target, case.profile, case.requested);
        assert_eq!(names(&resolution.request.packages), case.expected, "{place}");
        let changed = case.requested != case.expected;
        assert_eq!(!resolution.changes.is_empty(), changed, "{place}: a change without a record, or the reverse");
    }
}

#[test]
fn a_prepared_request_has_the_hash_of_the_raw_one() {
    for extra in [
        serde_json::json!({}),
        serde_json::json!({"packages_versions": {"auc": "1.0", "tmux": "3.4-r1", "luci-i18n-opkg-de": "2"}}),
        serde_json::json!({"packages": ["-auc", "owut", "luci-i18n-opkg-de", "luci-i18n-base-en"]}),
        serde_json::json!({"diff_packages": "yes", "client": "owut/1", "from_version": "23.05.5"}),
    ] {
        let mut body = request_json();
        body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        let rules = PackageRules::built_in();
        let first = rules.resolve(parse(&body, RequestForm::Raw).unwrap());
        let prepared = serde_json::to_value(&first.request).unwrap();
        let declined = parse(&prepared, RequestForm::Prepared).unwrap();
        assert_eq!(declined, first.request, "{extra}");
        assert_eq!(RequestHash::of(&declined), RequestHash::of(&first.request), "{extra}");
        assert_eq!(rules.resolve(declined), Resolution { request: first.request, changes: Vec::new() }, "{extra}");
    }
}

#[test]
fn a_replaced_package_loses_its_pin() {
    let mut body = request_json();
    body["packages_versions"] = serde_json::json!({"auc": "0.3", "tmux": "3.4"});
    let request = PackageRules::built_in().resolve(parse(&body, RequestForm::Raw).unwrap()).request;
    assert_eq!(names(&request.packages), ["tmux", "owut"]);
    assert_eq!(request.packages_versions.keys().map(|name| name.as_str()).collect::<Vec<_>>(), ["tmux"]);
}

#[test]
fn no_rule_works_against_an_explicit_removal() {
    let mut body = request_json();
    body["target"] = "mediatek/filogic".into();
    body["packages"] = serde_json::json!(["-fitblk", "-auc"]);
    let resolution = PackageRules::built_in().resolve(parse(&body, RequestForm::Raw).unwrap());
    assert_eq!(names(&resolution.request.packages), ["-fitblk", "-auc"]);
    assert!(resolution.changes.is_empty());

    body["target"] = "ath79/generic".into();
    body["packages"] = serde_json::json!(["auc", "-owut"]);
    let Resolution { request, changes } = PackageRules::built_in().resolve(parse(&body, RequestForm::Raw).unwrap());
    assert_eq!(names(&request.packages), ["-owut"], "what replaces a package is not added against the user's word");
    assert!(matches!(&changes[..], [change] if matches!(change.kind, ChangeKind::Removal { .. })), "{changes:?}");
}

#[test]
fn every_change_is_told_with_its_reason() {
    let mut body = request_json();
    body["version"] = "25.12.0".into();
    body["target"] = "lantiq/xrx200".into();
    body["profile"] = "zyxel_p-2812hnu-f1".into();
    body["packages"] = serde_json::json!(["auc", "luci-i18n-base-en"]);
    let changes = PackageRules::built_in().resolve(parse(&body, RequestForm::Raw).unwrap()).changes;
    assert!(changes.iter().all(|change| change.automatic && !change.reason.is_empty()));
    assert_eq!(
        serde_json::to_value(&changes[0]).unwrap(),
        serde_json::json!({
            "type": "migration", "action": "replace", "from_package": "auc", "to_package": "owut",
            "reason": "auc is gone; owut replaced it at r26792", "automatic": true,
        })
    );
    let kinds = |test: fn(&ChangeKind) -> bool| changes.iter().filter(|change| test(&change.kind)).count();
    assert_eq!(kinds(|kind| matches!(kind, ChangeKind::Addition { .. })), 3);
    assert_eq!(kinds(|kind| matches!(kind, ChangeKind::Removal { .. })), 1);
}
