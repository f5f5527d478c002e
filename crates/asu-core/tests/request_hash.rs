//! The request hash, against committed vectors: a change here orphans every cached build of every server.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::HashSet;

use asu_core::{RequestForm, RequestHash};
use serde_json::{Value, json};

mod common;
use common::{parse, request_json};

fn hash(extra: &Value) -> String {
    let mut body = request_json();
    body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    RequestHash::of(&parse(&body, RequestForm::Prepared).unwrap()).to_string()
}

#[test]
fn the_committed_vectors_hold() {
    let vectors: Vec<(Value, String)> = serde_json::from_str(include_str!("request_hash.vectors.json")).unwrap();
    assert!(vectors.len() > 10);
    for (extra, expected) in &vectors {
        assert_eq!(hash(extra), *expected, "{extra}");
    }
    let distinct: HashSet<_> = vectors.iter().map(|(_, hash)| hash).collect();
    assert_eq!(distinct.len(), vectors.len(), "every vector is a firmware of its own");
}

#[test]
fn fields_do_not_run_into_each_other() {
    let pairs = [
        (json!({"version": "25.12.0", "version_code": "-rc1"}), json!({"version": "25.12.0-rc1", "version_code": ""})),
        (json!({"packages": ["a", "b"]}), json!({"packages": ["a,b"]})),
        (json!({"packages": ["ab"]}), json!({"packages": ["a", "b"]})),
        (json!({"target": "a/bc", "profile": "d"}), json!({"target": "a/b", "profile": "cd"})),
        (json!({"packages": ["a"], "packages_versions": {"b": "c"}}), json!({"packages": ["a", "b", "c"]})),
        (json!({"defaults": "ext4"}), json!({"filesystem": "ext4"})),
    ];
    for (one, other) in pairs {
        assert_ne!(hash(&one), hash(&other), "{one} {other}");
    }
}

#[test]
fn what_does_not_change_the_firmware_does_not_change_the_hash() {
    let same = [
        json!({}),
        json!({"packages": ["tmux", "auc", "tmux"]}),
        json!({"client": "owut/2026", "from_version": "23.05.5"}),
        json!({"defaults": "", "repositories_mode": "append"}),
        json!({"distro": "openwrt", "version_code": ""}),
    ];
    let hashes: HashSet<_> = same.iter().map(hash).collect();
    assert_eq!(hashes.len(), 1);
}

#[test]
fn a_hash_is_64_lower_case_digits() {
    let text = hash(&json!({}));
    assert_eq!(RequestHash::parse(&text).unwrap().as_str(), text);
    for text in ["", "../../etc/passwd", &text[1..], &text.to_uppercase(), &format!("{text}0")] {
        assert!(RequestHash::parse(text).is_err(), "{text}");
    }
}
