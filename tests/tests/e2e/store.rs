//! Files of the store, whole and in parts.

use asu_tests::{Deployment, request};

#[tokio::test(flavor = "multi_thread")]
async fn images_are_served_whole_and_in_parts() {
    let deployment = Deployment::start().await;
    let done = deployment.build(&request("24.10.4", &["tmux"])).await;
    let (bin_dir, name) = (done.body["bin_dir"].as_str().unwrap(), done.body["images"][0]["name"].as_str().unwrap());
    let whole = deployment.download(bin_dir, name).await;
    let url = format!("{}/store/{bin_dir}/{name}", deployment.build.url());
    let length = whole.len();

    let head = deployment.client.head(&url).send().await.unwrap();
    assert_eq!(head.headers()["content-length"].to_str().unwrap(), length.to_string());
    for (header, value) in [
        ("content-type", "application/octet-stream"),
        ("x-content-type-options", "nosniff"),
        ("accept-ranges", "bytes"),
        ("access-control-allow-origin", "*"),
        ("content-disposition", &*format!("attachment; filename=\"{name}\"")),
    ] {
        assert_eq!(head.headers()[header], value);
    }
    let etag = head.headers()["etag"].clone();

    for (range, expected) in [
        ("bytes=0-9", &whole[..10]),
        ("bytes=10-", &whole[10..]),
        ("bytes=-7", &whole[length - 7..]),
        ("bytes=5-99999999999", &whole[5..]),
    ] {
        let part = deployment.client.get(&url).header("range", range).header("if-range", &etag).send().await.unwrap();
        assert_eq!(part.status(), 206, "{range}");
        assert_eq!(part.headers()["content-length"].to_str().unwrap(), expected.len().to_string());
        assert!(part.headers()["content-range"].to_str().unwrap().ends_with(&format!("/{length}")));
        assert_eq!(part.bytes().await.unwrap(), expected, "{range}");
    }
    let other = deployment.client.get(&url).header("range", "bytes=0-9").header("if-range", "\"other\"");
    assert_eq!(other.send().await.unwrap().status(), 200);
    let unsatisfiable = deployment.client.get(&url).header("range", format!("bytes={length}-")).send().await.unwrap();
    assert_eq!(unsatisfiable.status(), 416);
    assert_eq!(unsatisfiable.headers()["content-range"].to_str().unwrap(), format!("bytes */{length}"));
    let unchanged = deployment.client.get(&url).header("if-none-match", &etag).send().await.unwrap();
    assert_eq!(unchanged.status(), 304);
    let missing = deployment.get(&format!("/store/{bin_dir}/missing.bin")).await;
    assert_eq!((missing.status.as_u16(), missing.detail()), (404, "could not find the requested file"));
}
