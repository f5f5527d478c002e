//! The request parser and the request hash.

use asu_core::{BuildRequest, RequestForm, RequestHash};
use proptest::{prelude::*, sample::select};
use serde_json::{Map, Value, json};

use crate::{
    inputs::{each_seed, edited},
    promises::request::{LIMITS, check},
};

const WORDS: &[&str] = &[
    "null",
    "true",
    "1e400",
    "-1",
    "[",
    "]",
    "{",
    "}",
    ",",
    "\"",
    ":",
    "\\u0000",
    "\\ud800",
    "+",
    "-",
    "--",
    "..",
    "/",
    "\"version\"",
    "\"packages\"",
    "\"packages_versions\"",
    "\"rootfs_size_mb\"",
    "\"\"",
    "\u{feff}",
];

const FIELDS: &[&str] = &[
    "distro",
    "version",
    "version_code",
    "target",
    "profile",
    "packages",
    "packages_versions",
    "diff_packages",
    "defaults",
    "rootfs_size_mb",
    "filesystem",
    "repositories",
    "repositories_mode",
    "repository_keys",
    "client",
    "from_version",
    "unknown",
];

const PEM: &str = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQ==\n-----END PUBLIC KEY-----";
const USIGN: &str = "RWSfy+nwo1nG3gAc9Dh7WLrd3oHo0XQwqtPc6Un1D9nuzdVcsE1vP7RP";

/// A text as it may stand in one field or another, often a good one.
fn a_text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z0-9_.,+-]{0,12}",
        "[+-]{0,3}[a-z]{0,3}",
        select(vec!["24.10.4", "x86/64", "squashfs", "append", "replace", "https://x.example/a", PEM, USIGN, "256"])
            .prop_map(str::to_owned),
        "[ \\r\\n]{0,2}".prop_map(|space| format!("{space}{PEM}{space}")),
        (100usize..300).prop_map(|length| "a".repeat(length)),
        ".{0,8}",
    ]
}

fn a_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        4 => a_text().prop_map(Value::from),
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<u64>().prop_map(Value::from),
        1 => any::<f64>().prop_map(Value::from),
        1 => (-1i32..4).prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            prop::collection::vec((a_text(), inner), 0..8)
                .prop_map(|entries| Value::from(entries.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

fn good_request() -> Map<String, Value> {
    let Value::Object(request) = json!({"version": "24.10.4", "target": "ath79/generic", "profile": "a"}) else {
        unreachable!("it is an object")
    };
    request
}

/// A request whose lists and texts are such as clients may send, so that it is accepted.
fn a_good_request() -> impl Strategy<Value = Value> {
    let name = "\\+?[a-z0-9.][a-z0-9.,+-]{0,6}";
    let text = prop::option::of("\\PC{0,300}");
    (
        prop::collection::vec("[+-]{0,2}[a-z0-9.+-]{0,6}[a-z]", 0..6),
        prop::collection::btree_map(name, "[a-z0-9+.,~-]{0,8}", 0..3),
        (any::<bool>(), text.clone(), prop::option::of(1u32..=1024)),
        prop::collection::btree_map("[a-z.-]{1,5}", "https?://[a-z]{1,5}\\.example(/[a-z.%~]{0,5}){0,3}", 0..3),
        (select(vec!["append", "replace"]), prop::collection::vec(select(vec![PEM, USIGN]), 0..3), text),
    )
        .prop_map(|(packages, pinned, (diff, defaults, size), repositories, (mode, keys, client))| {
            let mut request = good_request();
            let fields = json!({
                "packages": packages, "packages_versions": pinned, "diff_packages": diff, "defaults": defaults,
                "rootfs_size_mb": size, "repositories": repositories, "repositories_mode": mode,
                "repository_keys": keys, "client": client,
            });
            request.extend(fields.as_object().unwrap().clone());
            Value::from(request)
        })
}

fn hash(request: &Value) -> RequestHash {
    let body = request.to_string();
    RequestHash::of(&BuildRequest::parse(body.as_bytes(), RequestForm::Prepared, &LIMITS).unwrap())
}

#[test]
fn each_seed_keeps_the_promises() {
    each_seed("request", check);
}

#[test]
fn the_largest_key_is_read_as_it_was_written() {
    let body = format!("{}AAAA", "\n".repeat(LIMITS.repository_key_size - 4 - 50));
    let key = format!("-----BEGIN PUBLIC KEY-----{body}-----END PUBLIC KEY-----");
    let mut request = good_request();
    for (key, fits) in [(key.clone(), true), (format!(" {key}\n"), true), (key.replacen('\n', "\n\n", 1), false)] {
        request.insert("repository_keys".to_owned(), json!([key]));
        let body = Value::from(request.clone()).to_string();
        assert_eq!(BuildRequest::parse(body.as_bytes(), RequestForm::Raw, &LIMITS).is_ok(), fits);
        check(body.as_bytes());
    }
}

proptest! {
    #[test]
    fn any_bytes_are_a_request_or_have_faults(body: Vec<u8>) {
        check(&body);
    }

    #[test]
    fn an_edited_request_is_a_request_or_has_faults(body in edited("request", WORDS)) {
        check(&body);
    }

    #[test]
    fn any_json_is_a_request_or_has_faults(value in a_value()) {
        check(value.to_string().as_bytes());
    }

    #[test]
    fn a_request_with_other_fields_is_a_request_or_has_faults(
        fields in prop::collection::vec((select(FIELDS), a_value()), 0..4),
    ) {
        let mut request = good_request();
        request.extend(fields.into_iter().map(|(name, value)| (name.to_owned(), value)));
        check(Value::from(request).to_string().as_bytes());
    }

    #[test]
    fn of_a_field_that_stands_twice_the_last_counts(field in select(FIELDS), first in a_value(), last in a_value()) {
        let mut request = good_request();
        request.remove(field);
        let rest = Value::from(request).to_string();
        let rest = rest.trim_start_matches('{');
        let both = format!("{{\"{field}\":{first},\"{field}\":{last},{rest}");
        let one = format!("{{\"{field}\":{last},{rest}");
        check(both.as_bytes());
        let read = |body: &str| BuildRequest::parse(body.as_bytes(), RequestForm::Raw, &LIMITS);
        prop_assert_eq!(read(&both), read(&one));
    }

    #[test]
    fn deep_and_huge_values_are_faults(field in select(FIELDS), size in 0usize..600, value in 0usize..5) {
        let value = match value {
            0 => format!("{}{}", "[".repeat(size), "]".repeat(size)),
            1 => format!("{}1{}", "{\"a\":".repeat(size), "}".repeat(size)),
            2 => format!("1{}", "0".repeat(size)),
            3 => format!("1e{size}"),
            _ => format!("0.{}1", "0".repeat(size)),
        };
        let rest = Value::from(good_request()).to_string();
        check(format!("{},\"{field}\":{value}}}", rest.trim_end_matches('}')).as_bytes());
    }

    #[test]
    fn a_good_request_is_read_as_it_was_written(request in a_good_request()) {
        let body = request.to_string();
        prop_assert_eq!(BuildRequest::parse(body.as_bytes(), RequestForm::Raw, &LIMITS).map(|_| ()), Ok(()));
        check(body.as_bytes());
    }

    #[test]
    fn neither_the_order_nor_the_count_of_packages_changes_the_hash(
        (packages, shuffled) in prop::collection::vec("-?[a-c]{1,2}", 1..8).prop_flat_map(|packages| {
            let twice = [packages.clone(), packages.clone()].concat();
            (Just(packages), Just(twice).prop_shuffle())
        }),
    ) {
        let mut request = Value::from(good_request());
        request["packages"] = json!(packages);
        let before = hash(&request);
        request["packages"] = json!(shuffled);
        prop_assert_eq!(hash(&request), before);
    }
}
