//! Build requests as clients send them, and as nobody should.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use asu_core::{BuildRequest, RequestForm};
use serde_json::{Value, json};

mod common;
use common::{LIMITS, parse, request_json};

/// The good request with some fields set to other values.
fn with(extra: &Value) -> Value {
    let mut body = request_json();
    body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    body
}

fn accept(extra: &Value) -> BuildRequest {
    parse(&with(extra), RequestForm::Raw).unwrap_or_else(|faults| panic!("{extra}: {faults}"))
}

fn refuse(extra: &Value) -> String {
    parse(&with(extra), RequestForm::Raw)
        .map(|request| panic!("{extra} is accepted: {request:?}"))
        .unwrap_err()
        .to_string()
}

#[test]
fn sizes_come_as_numbers_and_as_texts() {
    for (value, size) in
        [(json!(256), Some(256)), (json!(256.0), Some(256)), (json!("256"), Some(256)), (json!(null), None)]
    {
        assert_eq!(accept(&json!({"rootfs_size_mb": value})).rootfs_size_mb, size);
    }
    for value in
        [json!(0), json!(-1), json!(1025), json!(1.5), json!("x"), json!(""), json!(true), json!([]), json!(1e300)]
    {
        let text = refuse(&json!({"rootfs_size_mb": value}));
        assert_eq!(text, "rootfs_size_mb: expected a whole number from 1 to 1024", "{value}");
    }
}

#[test]
fn flags_come_in_every_spelling() {
    for value in [
        json!(true),
        json!(1),
        json!(1.0),
        json!("true"),
        json!("T"),
        json!("Yes"),
        json!("y"),
        json!("ON"),
        json!("1"),
    ] {
        assert!(accept(&json!({"diff_packages": value})).diff_packages, "{value}");
    }
    for value in [json!(false), json!(0), json!("False"), json!("f"), json!("no"), json!("N"), json!("off"), json!("0")]
    {
        assert!(!accept(&json!({"diff_packages": value})).diff_packages, "{value}");
    }
    for value in [json!(null), json!(2), json!("maybe"), json!([]), json!({})] {
        assert_eq!(refuse(&json!({"diff_packages": value})), "diff_packages: expected true or false", "{value}");
    }
}

#[test]
fn package_lists_are_brought_into_one_form() {
    let request =
        accept(&json!({"packages": ["++luci", "", "luci", "-ppp", "+", "++", "vim"], "profile": "xiaomi,ax9000"}));
    assert_eq!(request.packages.iter().map(ToString::to_string).collect::<Vec<_>>(), ["luci", "-ppp", "vim"]);
    assert_eq!(request.profile.as_str(), "xiaomi_ax9000");
}

#[test]
fn pinned_packages_are_the_package_list_in_their_order() {
    let request = accept(&json!({"packages": ["luci"], "packages_versions": {"vim": "9", "+auc": "1~2"}}));
    assert_eq!(request.packages.iter().map(ToString::to_string).collect::<Vec<_>>(), ["vim", "auc"]);
    assert_eq!(request.packages_versions.len(), 2);
}

#[test]
fn what_clients_leave_out_or_add_does_not_matter() {
    let request = accept(&json!({
        "defaults": "", "filesystem": null, "client": null, "from_version": null, "rootfs_size_mb": null,
        "unknown": {"a": [1]}, "advanced_mode": true,
    }));
    assert_eq!((request.defaults, request.distro.as_str(), request.version_code.as_str()), (None, "openwrt", ""));
    let body = format!("\u{feff}{}", request_json());
    assert!(BuildRequest::parse(body.as_bytes(), RequestForm::Raw, &LIMITS).is_ok());
}

#[test]
fn every_fault_is_named() {
    for (extra, expected) in [
        (json!({"packages": "luci"}), "packages: expected a list of strings"),
        (json!({"packages": null}), "packages: expected a list of strings"),
        (json!({"packages": ["luci", 7]}), "packages.1: expected a string"),
        (json!({"packages": ["a b"]}), r#"packages.0: package must match [\w.,+-]+, not "a b""#),
        (json!({"packages": ["-"]}), r#"packages.0: package must match [\w.,+-]+, not """#),
        (json!({"packages": ["x".repeat(129)]}), "packages.0: package must have at most 128 bytes, not 129"),
        (json!({"packages": vec!["a"; 2001]}), "packages: at most 2000 strings are allowed, not 2001"),
        (json!({"packages_versions": []}), "packages_versions: expected an object"),
        (json!({"packages_versions": {"a": 1}}), "packages_versions.a: expected a string"),
        (
            json!({"packages_versions": {"-a": "1"}}),
            r#"packages_versions.-a: package with a version must match [\w.,+][\w.,+-]*, not "-a""#,
        ),
        (json!({"version": null}), "version: expected a string"),
        (json!({"version": "24.10/4"}), r#"version: version must match [\w.,-]*, not "24.10/4""#),
        (json!({"version_code": null}), "version_code: expected a string"),
        (json!({"target": "ath79"}), r#"target: target must match \w*/\w*, not "ath79""#),
        (json!({"profile": "../x"}), r#"profile: profile must match [\w.,-]*, not "../x""#),
        (json!({"defaults": 7}), "defaults: expected a string"),
        (json!({"defaults": "x".repeat(20_481)}), "defaults: defaults must have at most 20480 bytes, not 20481"),
        (
            json!({"repositories": {"a b": "https://x.example"}}),
            r#"repositories.a b: repository name must match [\w.-]+, not "a b""#,
        ),
        (
            json!({"repositories": {"a": "ftp://x.example"}}),
            r#"repositories.a: repository URL must match https?://[!-~]+, not "ftp://x.example""#,
        ),
        (
            json!({"repositories_mode": "merge"}),
            r#"repositories_mode: repositories_mode must match append|replace, not "merge""#,
        ),
        (
            json!({"repository_keys": ["x"]}),
            "repository_keys.0: expected a usign public key (base64 of 42 bytes) or a PEM public key",
        ),
        (json!({"client": 1}), "client: expected a string"),
        (json!({"from_version": "a b"}), r#"from_version: version must match [\w.,-]*, not "a b""#),
    ] {
        assert_eq!(refuse(&extra), expected);
    }
    let text = refuse(&json!({"filesystem": "overlay"}));
    assert!(text.contains("squashfs|ext4") && text.contains("overlay"), "{text}");
}

#[test]
fn all_faults_are_listed_and_the_first_is_told() {
    let faults = parse(&json!({"version": 1, "target": "x", "packages": [null]}), RequestForm::Raw).unwrap_err();
    assert_eq!(faults.to_string(), "version: expected a string (and 3 more faults)");
    assert_eq!(
        serde_json::to_value(&faults).unwrap()[1],
        json!({
            "loc": ["body", "target"], "type": "string_pattern_mismatch", "input": "x",
            "msg": r#"target must match \w*/\w*, not "x""#,
        })
    );
    assert_eq!(
        faults.iter().map(|fault| fault.kind).collect::<Vec<_>>(),
        ["string_type", "string_pattern_mismatch", "missing", "string_type"]
    );
    assert_eq!(faults.offending_value(), "1");
}

#[test]
fn an_answer_does_not_grow_with_the_request() {
    let faults =
        parse(&json!({"packages": vec!["a b"; 1999], "version": "x ".repeat(9999)}), RequestForm::Raw).unwrap_err();
    assert!(serde_json::to_string(&faults).unwrap().len() < 20_000);
    let long = "x ".repeat(50_000);
    for field in [
        json!({"packages_versions": {long.clone(): long}}),
        json!({"repositories": {long.clone(): long}}),
        json!({"filesystem": long}),
        json!({"repositories_mode": long}),
        json!({"client": {long: 1}}),
    ] {
        let faults = parse(&with(&field), RequestForm::Raw).unwrap_err();
        let told = faults.to_string().len() + serde_json::to_string(&faults).unwrap().len();
        assert!(told < 5_000, "{told} bytes");
    }
}

#[test]
fn bodies_that_are_no_request_are_refused() {
    let deep = "[".repeat(100_000);
    for (body, expected) in [
        (&b""[..], "body: expected a JSON object, not an empty body"),
        (b" \n", "body: expected a JSON object, not an empty body"),
        (b"[]", "body: expected a JSON object"),
        (b"null", "body: expected a JSON object"),
        (b"{\"version\": NaN}", "body: expected JSON: expected value at line 1 column 13"),
        (b"{\"version\": \"\xff\"}", "body: expected UTF-8 text: invalid utf-8 sequence of 1 bytes from index 13"),
        (b"{", "body: expected JSON: EOF while parsing an object at line 1 column 1"),
        (deep.as_bytes(), "body: expected JSON: recursion limit exceeded at line 1 column 128"),
    ] {
        let faults = BuildRequest::parse(body, RequestForm::Raw, &LIMITS).unwrap_err();
        assert_eq!(faults.to_string(), expected);
    }
}

proptest::proptest! {
    #[test]
    fn no_body_makes_the_parser_panic(body: Vec<u8>) {
        let _ = BuildRequest::parse(&body, RequestForm::Raw, &LIMITS);
    }

    #[test]
    fn no_text_in_a_field_gets_through_unchecked(text: String) {
        if let Ok(request) = parse(&with(&json!({"packages": [text], "profile": text})), RequestForm::Raw) {
            let plain = |c: char| c.is_ascii_alphanumeric() || "_.,+-".contains(c);
            proptest::prop_assert!(request.profile.as_str().chars().all(plain));
            proptest::prop_assert!(request.packages.iter().all(|package| package.name.as_str().chars().all(plain)));
        }
    }
}
