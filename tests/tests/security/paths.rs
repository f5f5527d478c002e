//! Path traversal: no part of an address leads to anything but what it names.

use std::os::unix::fs::symlink;

use asu_tests::Deployment;

use crate::door::get;

const SECRET: &str = "the secret of this test";

/// `{B}` is a directory of the store that exists, `{H}` the hash that it belongs to.
const ATTACKS: &[(&str, u16)] = &[
    // The store: what lies beside it, in it, and what its files may be.
    ("/store/../secret", 404),
    ("/store/%2e%2e/secret", 404),
    ("/store/..%2fsecret", 404),
    ("/store/..%252fsecret/x", 404),
    ("/store/..\\secret", 404),
    ("/store/..;/secret", 404),
    ("/store/%c0%ae%c0%ae/secret", 404),
    ("/store//etc/passwd", 404),
    ("/store/./secret", 404),
    ("/store/a%00b/c", 404),
    ("/store/{B}/../../secret", 404),
    ("/store/{B}/..%2f..%2fsecret", 404),
    ("/store/{B}/%2e%2e%2f%2e%2e%2fsecret", 404),
    ("/store/{B}/..", 404),
    ("/store/{B}/.", 404),
    ("/store/{B}/", 404),
    ("/store/{B}", 404),
    ("/store/{B}/.hidden", 404),
    ("/store/{B}/link.bin", 404),
    ("/store/{B}/directory", 404),
    ("/store/{B}/plain.bin%00.txt", 404),
    ("/store/{B}/plain.bin/x", 404),
    ("/store/{B}.tmp-0123456789abcdef/plain.bin", 404),
    ("/store/{H}-linked0/secret", 404),
    ("http://other.example/store/../secret", 404),
    ("/store/{B}/plain.bin", 200),
    // Files of the pages and of the description.
    ("/static/../../Cargo.toml", 404),
    ("/static/..%2f..%2fCargo.toml", 404),
    ("/docs/..%2f..%2fCargo.toml", 404),
    ("/redoc/../../Cargo.toml", 404),
    // Documents, which are fetched from upstream by their path.
    ("/json/v1/releases/../secret.json", 404),
    ("/json/v1/releases/../../secret.json", 404),
    ("/json/v1/releases/../targets/x86/64/index.json", 404),
    ("/json/v1/releases/%2e%2e/targets/x86/64/index.json", 404),
    ("/json/v1/releases/24.10.4%2f../targets/x86/64/index.json", 404),
    ("/json/v1/releases/24.10.4/targets/../../index.json", 404),
    ("/json/v1/releases/24.10.4/targets/x86/64/../secret.json", 404),
    ("/json/v1/releases/24.10.4/targets/x86%2f..%2f../64/index.json", 404),
    ("/json/v1/releases/24.10.4/targets/x86/64/%2e%2e%2fsecret.json", 404),
    ("/json/v1/releases/24.10.4/packages/..%2f..%2fsecret-index.json", 404),
    ("/json/v1/releases/24.10.4/packages/..-index.json", 404),
    ("/json/v1/releases/24.10.4/targets/x86/64/secret%00.json", 404),
    ("/json/v1/releases/24.10.4/targets/x86/64/secret%3f.json", 404),
    ("/json/v1/releases/24.10.4/targets/x86/64/secret%23.json", 404),
    ("/json/v1/releases/http:%2f%2fother.example/targets/x86/64/index.json", 404),
    ("/json/v1/snapshots/../secret.json", 404),
    ("/json/v1/distros/../overview.json", 404),
    ("/json/v1/distros/..%2f..%2fsecret/overview.json", 404),
    ("/api/v1/revision/../x86/64", 400),
    ("/api/v1/revision/..%2f..%2fsecret/x86/64", 404),
    ("/api/v1/revision/24.10.4/..%2f..%2f/64", 404),
    ("/api/v1/revision/24.10.4/x86/..%2f..%2fsecret", 404),
    // Builds, which are looked up by their hash.
    ("/api/v1/build/../stats", 404),
    ("/api/v1/build/{H}%00", 404),
    ("/api/v1/build/{H}%2f..%2f..%2fstats", 404),
    ("/api/v1/build/..%2f..%2f..%2fsecret/log", 404),
    ("/api/v1/build/%7basu%7d:stats/log", 404),
    ("/api/v1/build/..%2f..%2fstore%2f{B}%2fplain.bin/provenance", 404),
    // What stands behind the question mark.
    ("/api/v1/top-packages?branch=../../secret", 422),
    ("/api/v1/builds-by-version?branch=%2e%2e%2fsecret", 422),
    ("/api/v1/top-packages?branch=24.10%00", 422),
    ("/stats?branch=../../secret", 200),
    ("/?branch=../../secret", 200),
];

#[tokio::test(flavor = "multi_thread")]
async fn no_address_leads_anywhere_else() {
    let deployment = Deployment::without_workers(&[("server_stats", "true")]).await;
    assert_eq!(deployment.get("/health").await.status, 200);
    let (hash, bin_dir) = ("0".repeat(64), format!("{}-0123456789ab", "0".repeat(64)));
    let store = deployment.store();
    let (public, published) = (store.parent().unwrap(), store.join(&bin_dir));
    std::fs::write(public.join("secret"), SECRET).unwrap();
    std::fs::create_dir_all(published.join("directory")).unwrap();
    std::fs::write(published.join("plain.bin"), "plain").unwrap();
    std::fs::write(published.join(".hidden"), SECRET).unwrap();
    symlink(public.join("secret"), published.join("link.bin")).unwrap();
    symlink(public, store.join(format!("{hash}-linked0"))).unwrap();
    let staged = store.join(format!("{bin_dir}.tmp-0123456789abcdef"));
    std::fs::create_dir(&staged).unwrap();
    std::fs::write(staged.join("plain.bin"), SECRET).unwrap();
    deployment.upstream.put("secret.json", SECRET);
    deployment.upstream.put("releases/secret.json", SECRET);

    for (target, status) in ATTACKS {
        let target = target.replace("{B}", &bin_dir).replace("{H}", &hash);
        let reply = get(deployment.build.address, &target).await;
        assert_eq!(reply.status(), *status, "{target}: {reply:?}");
        assert!(!reply.0.contains(SECRET) && !reply.0.contains("[workspace]"), "{target}: {reply:?}");
    }
    for path in deployment.upstream.asked() {
        let known = ["releases/", "snapshots/", ".versions.json", ".targets.json"];
        assert!(known.iter().any(|known| path.starts_with(known)), "upstream was asked for {path}");
        assert!(!path.contains("..") && !path.contains("secret"), "upstream was asked for {path}");
    }
}
