//! `GET /`: what this server is, how to use it, and how it is doing.

use askama::Template;
use asu_core::{BranchOverview, Overview, Version, render_second};
use asu_queue::{Counts, FailureNote, Queue};
use asu_service::ApiError;
use asu_upstream::Catalogs;
use axum::{extract::State, http::HeaderMap, response::Response};

use super::{
    frame::{Frame, Pages},
    page,
    settings::Fact,
    soon::soon,
};
use crate::server_url::server_url;

/// How many of the last failures are shown.
const FAILURES: usize = 10;
/// How many versions of a branch are shown before the rest is folded away.
const VERSIONS: usize = 3;
/// In the examples, where there is nothing better.
const EXAMPLE_VERSION: &str = "24.10.4";
const EXAMPLE_URL: &str = "https://SERVER";

#[derive(Template)]
#[template(path = "home.html")]
struct Home<'a> {
    frame: Frame,
    /// What the reader calls this server.
    url: String,
    url_is_known: bool,
    /// A version for the examples.
    version: String,
    queue: Option<Counts>,
    builds_24h: Option<u64>,
    branches: Option<Vec<BranchRow>>,
    settings: &'a [Fact],
    /// `None` if nobody counts, or Redis is away.
    failures: Option<Vec<FailureRow>>,
}

struct BranchRow {
    name: String,
    versions: Vec<String>,
    more_versions: Vec<String>,
    targets: usize,
}

pub(super) struct FailureRow {
    time: String,
    version: String,
    target: String,
    profile: String,
    detail: String,
}

pub(super) async fn get_home(
    State(pages): State<Pages>,
    State(queue): State<Queue>,
    State(catalogs): State<Catalogs>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let (overview, counts, (builds_24h, failures)) =
        tokio::join!(soon(catalogs.openwrt().overview()), soon(queue.counts()), counted(&queue));
    let url = server_url(&headers);
    page(&Home {
        frame: pages.frame(),
        url_is_known: url.is_some(),
        url: url.unwrap_or_else(|| EXAMPLE_URL.to_owned()),
        version: overview.as_deref().and_then(example_version).unwrap_or_else(|| EXAMPLE_VERSION.to_owned()),
        queue: counts,
        builds_24h,
        branches: overview.map(|overview| overview.branches.iter().filter(is_served).map(BranchRow::new).collect()),
        settings: pages.settings(),
        failures,
    })
}

async fn counted(queue: &Queue) -> (Option<u64>, Option<Vec<FailureRow>>) {
    let Some(statistics) = queue.statistics() else { return (None, None) };
    let (builds, failures) = tokio::join!(soon(statistics.builds_in_24_hours()), soon(statistics.failures(FAILURES)));
    (builds, failures.map(|failures| failures.into_iter().map(FailureRow::new).collect()))
}

/// True if there is anything to build.
fn is_served(branch: &&BranchOverview) -> bool {
    branch.enabled && !branch.targets.is_empty()
}

/// The newest version that is no candidate.
fn example_version(overview: &Overview) -> Option<String> {
    let is_final = |version: &&Version| version.is_release() && !version.as_str().contains("-rc");
    overview.latest.iter().find(is_final).map(Version::to_string)
}

impl BranchRow {
    fn new(branch: &BranchOverview) -> Self {
        let mut versions: Vec<_> = branch.versions.iter().map(Version::to_string).collect();
        let more_versions = versions.split_off(versions.len().min(VERSIONS));
        Self { name: branch.name.to_string(), versions, more_versions, targets: branch.targets.len() }
    }
}

impl FailureRow {
    fn new(note: FailureNote) -> Self {
        let FailureNote { at, version, target, profile, kind: _, detail } = note;
        let time = render_second(i64::try_from(at.get()).unwrap_or_default()).replace('T', " ").replace('Z', "");
        let detail = detail.strip_prefix("Error: ").map_or_else(|| detail.clone(), str::to_owned);
        Self { time, version, target, profile, detail }
    }
}
