//! Bad input gets its 4xx, in JSON, with a text; and never reaches a worker.

use serde_json::{Value, json};

use asu_tests::{Answer, Deployment, raw, request};

async fn post_bytes(deployment: &Deployment, url: &str, body: Vec<u8>) -> Answer {
    Answer::read(deployment.client.post(url).body(body).send().await.unwrap()).await
}

fn with(field: &str, value: Value) -> Vec<u8> {
    let mut body = request("24.10.4", &["tmux"]);
    body[field] = value;
    body.to_string().into_bytes()
}

#[tokio::test(flavor = "multi_thread")]
async fn both_services_refuse_bad_requests_in_the_same_words() {
    let deployment = Deployment::without_workers(&[("allow_defaults", "false")]).await;
    let urls = [
        format!("{}/api/v1/build/prepare", deployment.prepare.url()),
        format!("{}/api/v1/build", deployment.build.url()),
    ];
    let unsupported_target = "Unsupported target: x86/65. The requested target was either dropped, is still being built or \
                              is not supported by the selected version. Please check the forums or try again later.";
    let unsupported_profile = "Unsupported profile: nonesuch. The requested profile was either dropped or never existed. \
                               Please check the forums for more information.";
    let mut wrong_profile = request("24.10.4", &[]);
    wrong_profile["target"] = "ath79/generic".into();
    wrong_profile["profile"] = "nonesuch".into();
    for (body, status, detail) in [
        (b"".to_vec(), 422, "body: expected a JSON object, not an empty body"),
        (b"{".to_vec(), 422, "body: expected JSON: EOF while parsing an object at line 1 column 1"),
        (b"[1]".to_vec(), 422, "body: expected a JSON object"),
        (b"{\"version\": NaN}".to_vec(), 422, "body: expected JSON: expected value at line 1 column 13"),
        (b"\xff\xfe".to_vec(), 422, "body: expected UTF-8 text: invalid utf-8 sequence of 1 bytes from index 0"),
        (b"{}".to_vec(), 422, "version: field required (and 2 more faults)"),
        (with("packages", json!("tmux")), 422, "packages: expected a list of strings"),
        (with("version", json!(24)), 422, "version: expected a string"),
        (vec![b' '; 300 * 1024], 413, "the request body is larger than 262144 bytes"),
        (with("defaults", json!("reboot")), 400, "Handling `defaults` not enabled on server"),
        (
            with("repositories", json!({"x": "https://evil.example/x"})),
            400,
            "Repository not allowed: https://evil.example/x",
        ),
        (with("distro", json!("debian")), 400, "Unsupported distro: debian"),
        (with("version", json!("19.07.1")), 400, "Unsupported branch: 19.07.1"),
        (with("version", json!("24.10.99")), 400, "Unsupported version: 24.10.99"),
        (with("target", json!("x86/65")), 400, unsupported_target),
        (wrong_profile.to_string().into_bytes(), 400, unsupported_profile),
    ] {
        for url in &urls {
            let answer = post_bytes(&deployment, url, body.clone()).await;
            assert_eq!((answer.status.as_u16(), answer.detail()), (status, detail), "{url}");
            if status == 422 {
                assert!(answer.body["errors"].as_array().is_some_and(|errors| !errors.is_empty()), "{answer:?}");
                assert!(answer.headers.contains_key("x-unknown-package"));
            }
        }
    }
    assert_eq!(deployment.get("/api/v1/stats").await.body["queue_length"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prepared_request_is_checked_in_full() {
    let deployment = Deployment::without_workers(&[]).await;
    let url = format!("{}/api/v1/build?skip_package_resolution=true", deployment.build.url());
    for (field, value, status) in [
        ("packages", json!(["$(reboot)"]), 422),
        ("profile", json!("../../x"), 422),
        ("target", json!("x86/65"), 400),
        ("repositories", json!({"x": "https://evil.example/x"}), 400),
    ] {
        let answer = post_bytes(&deployment, &url, with(field, value)).await;
        assert_eq!(answer.status.as_u16(), status, "{field}: {answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_no_hash_is_not_found() {
    let deployment = Deployment::without_workers(&[]).await;
    let unknown = "0".repeat(64);
    for hash in [&*unknown, "x", "..%2f..%2fetc%2fpasswd", "%00", "%0d%0aSet-Cookie:x", "%ff", "{}", "' or 1=1"] {
        let answer = deployment.get(&format!("/api/v1/build/{hash}")).await;
        assert_eq!((answer.status.as_u16(), answer.detail()), (404, "could not find provided request hash"), "{hash}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_path_leads_out_of_the_store() {
    let deployment = Deployment::without_workers(&[]).await;
    // The store is there once the service answers.
    assert_eq!(deployment.get("/health").await.status, 200);
    std::fs::write(deployment.store().parent().unwrap().join("secret"), "secret").unwrap();
    let hash = "0".repeat(64);
    for path in [
        "/store/../secret".to_owned(),
        "/store/%2e%2e/secret".to_owned(),
        "/store/..%2fsecret".to_owned(),
        "/store/..%252fsecret/x".to_owned(),
        format!("/store/{hash}-000000000000/..%2f..%2fsecret"),
        format!("/store/{hash}-000000000000/../../secret"),
        "/store//etc/passwd".to_owned(),
        "/store/./secret".to_owned(),
        "/store/..\\secret".to_owned(),
        "/store/a%00b/c".to_owned(),
    ] {
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        let answer = raw(deployment.build.address, request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 404") || answer.starts_with("HTTP/1.1 400"), "{path}: {answer}");
        assert!(!answer.contains("secret\n") && !answer.ends_with("secret"), "{path}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_as_small_clients_send_them_are_understood() {
    let deployment = Deployment::without_workers(&[]).await;
    let body = request("24.10.4", &["tmux"]).to_string();
    let length = body.len();
    let chunked = format!(
        "POST //api/v1/build/?1732373738123 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n\
         {length:x}\r\n{body}\r\n0\r\n\r\n"
    );
    let old = format!("POST /api/v1/build HTTP/1.0\r\nContent-Length: {length}\r\n\r\n{body}");
    let charset = format!(
        "POST /api/v1/build HTTP/1.1\r\nHost: x\r\nContent-Type: application/json; charset=latin1\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n\u{feff}{body}",
        length + 3
    );
    for request in [chunked, old, charset] {
        let answer = raw(deployment.build.address, request.as_bytes()).await;
        assert!(answer.split(' ').nth(1) == Some("202"), "{request}\n{answer}");
        assert!(answer.contains("\"queue_position\":0"), "{answer}");
    }
}
