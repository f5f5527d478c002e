//! Stored HTML: what strangers make this server keep is shown as text, in a real browser, and nothing of it runs.

use asu_tests::Deployment;
use serde_json::json;

use crate::{
    browser::Browser,
    hostile::{self, SETTINGS},
};

/// Short enough for the name of a file.
const IMAGE: &str = "<img src=x onerror=window.hacked=1>";
const SCRIPT: &str = "<script>window.hacked = 1</script>";

/// Builds that leave HTML wherever they can: in the name of a file, which comes into the text of the failure, in the log,
/// and in the description of their images.
const BUILDS: &[(&str, u16)] = &[
    ("import os; os.mkfifo('<img src=x onerror=window.hacked=1>')", 500),
    ("import os; os.mkfifo('<b onclick=alert(1)>')", 500),
    (
        "import json, sys\nfor out in (sys.stdout, sys.stderr): print('<script>window.hacked = 1</script>', file=out)\n\
         p = json.load(open('profiles.json'))\n\
         p['profiles']['8dev_carambola2']['titles'] = [{'title': '<script>window.hacked = 1</script>'}]\n\
         json.dump(p, open('profiles.json', 'w'))\n\
         open('a.html', 'w').write('<script>window.hacked = 1</script>')",
        200,
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn html_of_strangers_is_text() {
    let deployment = Deployment::start_with(&SETTINGS).await;
    let mut ends = Vec::new();
    for (script, status) in BUILDS {
        let mut request = hostile::request(script);
        request["client"] = json!(format!("{SCRIPT}/1"));
        let end = deployment.build(&request).await;
        assert_eq!(end.status, *status, "{script}: {end:?}");
        ends.push(end);
    }
    assert!(ends[0].detail().contains(IMAGE), "it comes as far as the page: {:?}", ends[0]);
    let (hash, bin_dir) = (ends[2].request_hash(), ends[2].body["bin_dir"].as_str().unwrap().to_owned());
    assert!(ends[2].body["stdout"].as_str().unwrap().contains(SCRIPT));

    let (url, browser) = (deployment.build.url(), Browser::start().await);
    for path in ["/", "/stats", "/stats?branch=%3Cscript%3Ewindow.hacked%3D1%3C%2Fscript%3E"] {
        browser.open(&format!("{url}{path}")).await;
        assert!(browser.value::<bool>("window.hacked === undefined").await, "{path}");
        let foreign = "document.querySelectorAll('main script, main img, [onclick], [onerror]').length";
        assert_eq!(browser.value::<u32>(foreign).await, 0, "{path}");
    }
    browser.open(&format!("{url}/")).await;
    let shown: String = browser.value("document.querySelector('#failures + .scroll').textContent").await;
    assert!(shown.contains(IMAGE) && shown.contains("<b onclick=alert(1)>"), "{shown}");
    browser.close_without_trouble(&url).await;
    // What is no page is never taken for one, whatever is in it. A browser asks for an icon of it, which there is none of.
    let browser = Browser::start().await;
    for path in [format!("/api/v1/build/{hash}"), format!("/api/v1/build/{hash}/log")] {
        browser.open(&format!("{url}{path}")).await;
        assert!(browser.value::<bool>("window.hacked === undefined").await, "{path}");
        assert_eq!(browser.value::<u32>("document.querySelectorAll('script').length").await, 0, "{path}");
    }
    drop(browser);
    for (path, kind) in [
        (format!("/api/v1/build/{hash}"), "application/json"),
        (format!("/api/v1/build/{hash}/log"), "text/plain; charset=utf-8"),
        (format!("/store/{bin_dir}/a.html"), "application/octet-stream"),
    ] {
        let response = deployment.client.get(format!("{url}{path}")).send().await.unwrap();
        assert_eq!(response.headers()["content-type"], kind, "{path}");
        assert_eq!(response.headers()["x-content-type-options"], "nosniff", "{path}");
        if path.starts_with("/store") {
            assert!(response.headers()["content-disposition"].to_str().unwrap().starts_with("attachment"), "{path}");
        }
    }
}
