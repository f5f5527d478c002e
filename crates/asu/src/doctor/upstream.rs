//! Upstream: can its list of versions be read, and does its clock agree with ours?

use std::time::Duration;

use asu_service::error_chain;
use reqwest::{Client, Response};
use serde_json::Value;

use crate::{
    doctor::{
        clock::{compare, date_of, now},
        finding::Finding,
    },
    serve::Config,
};

const CHECK: &str = "upstream";
/// A server that takes longer is away.
const LIMIT: Duration = Duration::from_secs(15);

/// Reads `.versions.json` from where the server will.
pub(super) async fn check_upstream(config: &Config) -> Vec<Finding> {
    let url = versions_url(config);
    let remedy = "look at upstream_url, upstream_mirror_url, the firewall and the proxy";
    let response = match get(&url).await {
        Ok(response) => response,
        Err(error) => return vec![Finding::fail(CHECK, format!("{url}: {}", error_chain(&error)), remedy)],
    };
    let clock = date_of(&response).map(|there| compare(&host_of(&url), now(), there));
    let finding = match stable_version(response).await {
        Ok(version) => Finding::ok(CHECK, format!("{url} can be read, the latest release is {version}")),
        Err(trouble) => Finding::fail(CHECK, format!("{url}: {trouble}"), remedy),
    };
    [finding].into_iter().chain(clock).collect()
}

/// The latest release of upstream, if it can be read.
pub(super) async fn latest_release(config: &Config) -> Option<String> {
    stable_version(get(&versions_url(config)).await.ok()?).await.ok()
}

/// One GET, within our patience.
pub(super) async fn get(url: &str) -> Result<Response, reqwest::Error> {
    let client = Client::builder().timeout(LIMIT).build()?;
    client.get(url).send().await.map_err(reqwest::Error::without_url)
}

fn versions_url(config: &Config) -> String {
    let upstream = &config.build.upstream;
    let mirror = &upstream.upstream_mirror_url;
    let base = if mirror.is_empty() { &upstream.upstream_url } else { mirror };
    format!("{}/.versions.json", base.trim_end_matches('/'))
}

fn host_of(url: &str) -> String {
    url::Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_else(|| "upstream".to_owned())
}

async fn stable_version(response: Response) -> Result<String, String> {
    let status = response.status();
    if !status.is_success() {
        return Err(format!("status {status}"));
    }
    let text = response.text().await.map_err(|error| error_chain(&error.without_url()))?;
    let document: Value = serde_json::from_str(&text).map_err(|error| format!("is no JSON: {error}"))?;
    match document.get("stable_version").and_then(Value::as_str) {
        Some(version) => Ok(version.to_owned()),
        None => Err("has no stable_version".to_owned()),
    }
}
