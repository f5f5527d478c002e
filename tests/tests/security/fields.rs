//! CRLF, NUL and their like in every field of a request: refused where the field is a name, kept as they are where it
//! is a text, and in no case anything else.

use asu_tests::Deployment;
use serde_json::{Value, json};

use crate::door::{PATIENT, submit, with};

/// What is put into each field: NUL, line ends of all kinds, terminal and text-direction controls, white space.
const HOSTILE: [&str; 14] = [
    "\0",
    "\r\n",
    "\n",
    "\r",
    "\t",
    " ",
    "\u{1b}[2J",
    "\u{7f}",
    "\u{85}",
    "\u{2028}",
    "\u{202e}",
    "\u{feff}",
    "\u{ff0e}",
    "\u{fffd}",
];

type Field = fn(&str) -> Value;

/// Each field with a text in it, and the answer to every such text.
const FIELDS: &[(&str, Field, u16)] = &[
    ("distro", |text| with("distro", format!("open{text}wrt")), 422),
    ("version", |text| with("version", format!("24.10{text}.4")), 422),
    ("version_code", |text| with("version_code", format!("r1{text}-a")), 422),
    ("target", |text| with("target", format!("x86/64{text}")), 422),
    ("target's first half", |text| with("target", format!("{text}x86/64")), 422),
    ("profile", |text| with("profile", format!("gene{text}ric")), 422),
    ("packages", |text| with("packages", json!(["tmux", format!("a{text}b")])), 422),
    ("packages, alone", |text| with("packages", json!([text])), 422),
    ("packages, a removal", |text| with("packages", json!([format!("-a{text}b")])), 422),
    ("packages_versions' names", |text| with("packages_versions", json!({format!("a{text}b"): "1"})), 422),
    ("packages_versions", |text| with("packages_versions", json!({"a": format!("1{text}2")})), 422),
    ("filesystem", |text| with("filesystem", format!("ext4{text}")), 422),
    ("rootfs_size_mb", |text| with("rootfs_size_mb", format!("6{text}4")), 422),
    ("diff_packages", |text| with("diff_packages", format!("tr{text}ue")), 422),
    ("repositories' names", |text| with("repositories", json!({format!("a{text}b"): "https://repo.example/"})), 422),
    ("repositories", |text| with("repositories", json!({"a": format!("https://repo.example/{text}x")})), 422),
    ("repositories' hosts", |text| with("repositories", json!({"a": format!("https://repo{text}.example/")})), 422),
    ("repositories_mode", |text| with("repositories_mode", format!("append{text}")), 422),
    ("repository_keys", |text| with("repository_keys", json!([format!("RWSf{text}!")])), 422),
    ("from_version", |text| with("from_version", format!("23.05{text}.5")), 422),
    ("client", |text| with("client", format!("owut{text}/1")), 202),
    ("defaults", |text| with("defaults", format!("echo{text}1")), 202),
    ("a field that there is not", |text| with(&format!("x{text}"), text), 202),
];

#[tokio::test(flavor = "multi_thread")]
async fn control_characters_are_in_no_name() {
    let deployment = Deployment::without_workers(&PATIENT).await;
    for (field, fill, status) in FIELDS {
        for text in HOSTILE {
            let body = fill(text);
            let answer = submit(&deployment, body.to_string()).await;
            assert_eq!(answer.status, *status, "{field} with {text:?}: {answer:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_is_kept_as_it_is() {
    let deployment = Deployment::without_workers(&PATIENT).await;
    for text in HOSTILE {
        let script = format!("echo{text}$(reboot) `id` ${{HOME}} %0a \\");
        let prepared = deployment.prepare(&with("defaults", script.as_str())).await;
        assert_eq!(prepared.body["prepared_request"]["defaults"], script, "{text:?}: {prepared:?}");
    }
}

/// Half of a surrogate pair is no text, wherever it stands.
#[tokio::test(flavor = "multi_thread")]
async fn half_a_character_is_in_no_field() {
    let deployment = Deployment::without_workers(&PATIENT).await;
    for (field, fill, _) in FIELDS {
        let body = fill("HALF").to_string().replace("HALF", "\\ud800");
        let answer = submit(&deployment, body).await;
        assert_eq!(answer.status, 422, "{field}: {answer:?}");
    }
}
