//! Bypasses of the list of allowed repositories: what is not plainly below an allowed prefix is refused.

use asu_tests::Deployment;
use serde_json::json;

use crate::door::{PATIENT, submit, with};

const ALLOWED: &str = r#"["https://repo.example/openwrt", "http://[2001:db8::1]:8080/x", "http://192.0.2.1/x/"]"#;

const URLS: &[(&str, u16)] = &[
    // What is allowed, so that the rest is refused for its own sake.
    ("https://repo.example/openwrt", 202),
    ("https://repo.example/openwrt/24.10/packages", 202),
    ("https://repo.example:443/openwrt/x", 202),
    ("https://repo.example/openwrt/a%20b", 202),
    ("http://[2001:db8::1]:8080/x/y", 202),
    ("http://192.0.2.1/x/y", 202),
    // Dot segments, plain, encoded, encoded twice, encoded in part.
    ("https://repo.example/openwrt/../secret", 400),
    ("https://repo.example/openwrt/..", 400),
    ("https://repo.example/openwrt/./x", 400),
    ("https://repo.example/openwrt/%2e%2e/secret", 400),
    ("https://repo.example/openwrt/%2E%2E/secret", 400),
    ("https://repo.example/openwrt/.%2e/secret", 400),
    ("https://repo.example/openwrt/%252e%252e/secret", 400),
    ("https://repo.example/openwrt/%25252e%25252e/secret", 400),
    ("https://repo.example/openwrt/.%%32e/secret", 400),
    ("https://repo.example/openwrt/..%2fsecret", 400),
    ("https://repo.example/openwrt%2f..%2fsecret", 400),
    ("https://repo.example/openwrt/..%5csecret", 400),
    ("https://repo.example/openwrt/..;/secret", 400),
    ("https://repo.example/openwrt/..;x=1/secret", 400),
    ("https://repo.example/openwrt/%c0%ae%c0%ae/secret", 202),
    ("https://repo.example/openwrt/%00/../secret", 400),
    ("https://repo.example/openwrt/%", 400),
    ("https://repo.example/openwrt/%zz", 400),
    // The prefix ends within a segment.
    ("https://repo.example/openwrt-evil/x", 400),
    ("https://repo.example/openwrt.evil", 400),
    ("https://repo.example/openwrt;/x", 400),
    ("https://repo.example//openwrt/x", 400),
    ("https://repo.example/OPENWRT/x", 400),
    ("https://repo.example/?/openwrt/x", 400),
    // Ports and schemes.
    ("https://repo.example:444/openwrt/x", 400),
    ("https://repo.example:0443/openwrt/x", 400),
    ("https://repo.example:/openwrt/x", 400),
    ("https://repo.example:99999/openwrt/x", 422),
    ("https://repo.example:443@evil.example/openwrt/x", 400),
    ("http://repo.example:443/openwrt/x", 400),
    ("http://repo.example/openwrt/x", 400),
    ("http://[2001:db8::1]/x", 400),
    ("ftp://repo.example/openwrt/x", 422),
    ("file:///builder/keys", 422),
    ("data:,x", 422),
    ("//repo.example/openwrt/x", 422),
    ("https:repo.example/openwrt/x", 400),
    ("https:/repo.example/openwrt/x", 400),
    ("https:///repo.example/openwrt/x", 400),
    // Users.
    ("https://user@repo.example/openwrt/x", 400),
    ("https://user:pass@repo.example/openwrt/x", 400),
    ("https://@repo.example/openwrt/x", 400),
    ("https://repo.example@evil.example/openwrt/x", 400),
    ("https://repo.example%40evil.example/openwrt/x", 422),
    ("https://repo.example/openwrt@evil.example/x", 400),
    // Other spellings of the host.
    ("https://repo.example.evil.example/openwrt/x", 400),
    ("https://evilrepo.example/openwrt/x", 400),
    ("https://REPO.example/openwrt/x", 400),
    ("HTTPS://repo.example/openwrt/x", 400),
    ("https://repo.example./openwrt/x", 400),
    ("https://repo.example../openwrt/x", 400),
    ("https://repo%2eexample/openwrt/x", 400),
    ("https://r%65po.example/openwrt/x", 400),
    ("https://xn--rpo-bma.example/openwrt/x", 400),
    ("https://répo.example/openwrt/x", 422),
    ("https://repo\u{3002}example/openwrt/x", 422),
    ("https://repo\u{ff0e}example/openwrt/x", 422),
    ("https://repo.example\u{ff0f}openwrt/x", 422),
    ("https://ｒepo.example/openwrt/x", 422),
    ("https://repo.exa\u{ad}mple/openwrt/x", 422),
    // Other spellings of an address.
    ("http://[2001:0db8::1]:8080/x", 400),
    ("http://[2001:DB8::1]:8080/x", 400),
    ("http://[2001:db8:0::1]:8080/x", 400),
    ("http://[2001:db8::1%25eth0]:8080/x", 422),
    ("http://[::ffff:192.0.2.1]/x", 400),
    ("http://192.0.513/x", 400),
    ("http://0xc0000201/x", 400),
    ("http://3221225985/x", 400),
    ("http://0300.0.2.1/x", 400),
    ("http://192.0.2.1./x", 400),
    // What a program that reads the URL may take for its end, or for another separator.
    ("https://repo.example\\@evil.example/openwrt/x", 422),
    ("https://evil.example\\repo.example/openwrt/x", 422),
    ("https://repo.example/openwrt\\..\\secret", 422),
    ("https://repo.example/open\twrt/x", 422),
    ("https://repo.example/openwrt/x\n", 422),
    (" https://repo.example/openwrt/x", 422),
    ("https://repo.example/openwrt/a b", 422),
    ("https://repo.example/openwrt/x\nsrc/gz evil https://evil.example", 422),
    ("https://repo.example/openwrt/#/../../secret", 400),
    ("https://evil.example/#https://repo.example/openwrt", 400),
    ("https://evil.example/?https://repo.example/openwrt", 400),
    ("", 422),
];

/// Names of repositories, which are words in a file of the package manager.
const NAMES: &[(&str, u16)] = &[
    ("custom", 202),
    ("", 422),
    ("a b", 422),
    ("a/b", 422),
    ("../a", 422),
    ("a\nsrc/gz evil https://evil.example", 422),
    ("$(id)", 422),
    ("#", 422),
];

#[tokio::test(flavor = "multi_thread")]
async fn only_what_lies_below_an_allowed_prefix_is_allowed() {
    let mut settings = PATIENT.to_vec();
    settings.push(("repository_allow_list", ALLOWED));
    let deployment = Deployment::without_workers(&settings).await;
    let prepare = format!("{}/api/v1/build/prepare", deployment.prepare.url());
    for (url, status) in URLS {
        let body = with("repositories", json!({"custom": url}));
        let answer = submit(&deployment, body.to_string()).await;
        assert_eq!(answer.status, *status, "{url:?}: {answer:?}");
        if *status == 400 {
            assert_eq!(answer.detail(), format!("Repository not allowed: {url}"));
        }
        let prepared = deployment.post(&prepare, &body).await;
        assert_eq!(prepared.status, if *status == 202 { 200 } else { *status }, "{url:?}: {prepared:?}");
    }
    for (name, status) in NAMES {
        let body = with("repositories", json!({*name: "https://repo.example/openwrt"}));
        let answer = submit(&deployment, body.to_string()).await;
        assert_eq!(answer.status, *status, "{name:?}: {answer:?}");
    }
    // One that is not allowed is enough, wherever it stands.
    let two = json!({"a": "https://repo.example/openwrt", "b": "https://evil.example/openwrt"});
    assert_eq!(submit(&deployment, with("repositories", two).to_string()).await.status, 400);
}
