//! Variables of make and metacharacters of shells in every field that reaches a command: refused, or seen by the command
//! as the plain text that they are.

use asu_tests::Deployment;
use serde_json::{Value, json};

use crate::{
    door::{PATIENT, submit, with},
    hostile::{self, printed},
};

/// What means something to make, to a shell, or to a program that looks for options.
const WORDS: [&str; 24] = [
    "$(id)", "$$(id)", "${HOME}", "$HOME", "`id`", "a;id", "a&&id", "a|id", "a>x", "a<x", "a&", "(id)", "{a,b}", "a*",
    "a?", "[a]", "~", "a'b", "a\"b", "a\\b", "#a", "!a", "A=b", "a:=b",
];

type Field = fn(&str) -> Value;

/// The fields that reach a command or a path, each with a word in it. What is refused never gets there.
const FIELDS: &[(&str, Field)] = &[
    ("version", |word| with("version", word)),
    ("version_code", |word| with("version_code", word)),
    ("target", |word| with("target", format!("x86/{word}"))),
    ("profile", |word| with("profile", word)),
    ("packages", |word| with("packages", json!(["tmux", word]))),
    ("packages, a removal", |word| with("packages", json!([format!("-{word}")]))),
    ("packages_versions' names", |word| with("packages_versions", json!({word: "1"}))),
    ("filesystem", |word| with("filesystem", word)),
    ("rootfs_size_mb", |word| with("rootfs_size_mb", word)),
    ("repositories' names", |word| with("repositories", json!({word: "https://repo.example/"}))),
    ("repository_keys", |word| with("repository_keys", json!([word]))),
    ("distro", |word| with("distro", word)),
];

#[tokio::test(flavor = "multi_thread")]
async fn metacharacters_are_in_no_name() {
    let deployment = Deployment::without_workers(&PATIENT).await;
    for (field, fill) in FIELDS {
        for word in WORDS {
            let answer = submit(&deployment, fill(word).to_string()).await;
            assert_eq!(answer.status, 422, "{field} with {word}: {answer:?}");
        }
    }
    assert_eq!(deployment.get("/api/v1/stats").await.body["queue_length"], 0);
}

/// Tells the commands above itself as the kernel has them, what is in its environment, and what was put into files.
const WITNESS: &str = r#"
import json, os
# $(touch /tmp/pwned) `touch /tmp/pwned` ; touch /tmp/pwned
words = lambda pid, file: open(f'/proc/{pid}/{file}', 'rb').read().decode().split('\0')[:-1]
parent = lambda pid: int(open(f'/proc/{pid}/stat').read().rsplit(')', 1)[1].split()[1])
pid, commands = os.getpid(), []
while pid > 0:
    commands.append(words(pid, 'cmdline'))
    first, pid = pid, parent(pid)
print('COMMANDS ' + json.dumps(commands))
print('ENVIRONMENT ' + json.dumps(words(first, 'environ')))
print('SCRIPT ' + json.dumps(open('/builder/asu-files/etc/uci-defaults/99-asu-defaults').read()))
print('REPOSITORIES ' + json.dumps(open('/builder/repositories.conf').read().splitlines()[-1]))
print('KEY ' + json.dumps(sorted(f for f in os.listdir('/builder/keys') if f.startswith('custom'))))
print('PWNED ' + json.dumps(os.path.exists('/tmp/pwned') or os.path.exists('/builder/pwned')))
print('USER ' + json.dumps([os.getuid(), os.geteuid(), os.getgid()]))
"#;

/// All that the alphabets of names leave: options, dots, signs.
const ODD_PACKAGES: [&str; 7] = ["fault-script", "--help", "-..", "-,+-.", "-f", "-C", "--eval"];
/// All that the alphabet of URLs leaves. Nobody listens there.
const ODD_URL: &str = "http://127.0.0.1:9/allowed/(id)&y=*!~,+:[]";

#[tokio::test(flavor = "multi_thread")]
async fn a_command_sees_what_was_asked_for_and_nothing_else() {
    let mut settings = hostile::SETTINGS.to_vec();
    settings.push(("repository_allow_list", r#"["http://127.0.0.1:9/allowed"]"#));
    let deployment = Deployment::start_with(&settings).await;
    let mut request = hostile::request(WITNESS);
    request["packages"] = json!(ODD_PACKAGES);
    request["client"] = json!("$(touch /tmp/pwned)/1;`id`");
    request["repositories"] = json!({"-odd..name": ODD_URL});
    request["repositories_mode"] = json!("append");
    request["repository_keys"] = json!(["-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQ==\n-----END PUBLIC KEY-----"]);
    request["rootfs_size_mb"] = json!(64);
    request["filesystem"] = json!("squashfs");
    let done = deployment.build(&request).await;
    assert_eq!(done.status, 200, "{done:?}");

    let commands = printed(&done, "COMMANDS ");
    let make = commands.as_array().unwrap().last().unwrap();
    assert_eq!(*make, done.body["build_cmd"], "the command is the one that is told");
    let packages = format!("PACKAGES={}", ODD_PACKAGES.join(" "));
    assert_eq!(make[2], "PROFILE=8dev_carambola2");
    assert_eq!(make[3], packages.as_str(), "the packages are one word");
    let environment = printed(&done, "ENVIRONMENT ").to_string();
    for secret in ["pwned", "REDIS", "redis", "ASU_", "PODMAN", "127.0.0.1"] {
        assert!(!environment.contains(secret), "{secret} is in the environment of a build: {environment}");
    }
    assert_eq!(printed(&done, "SCRIPT "), WITNESS);
    assert_eq!(printed(&done, "REPOSITORIES "), format!("src/gz -odd..name {ODD_URL}"));
    assert_eq!(printed(&done, "KEY "), json!(["custom-0.pem"]));
    assert_eq!(printed(&done, "PWNED "), false);
    assert_eq!(printed(&done, "USER "), json!([1000, 1000, 1000]), "nobody is root");
    hostile::nothing_is_broken(&deployment).await;
}
