//! `GET /api/v1/builds-per-day` and its kin: what was asked for and built.

use asu_core::{Branch, render_second};
use asu_queue::{FailureNote, Queue, Statistics};
use asu_service::{ApiError, ErrorBody, json};
use asu_upstream::Catalogs;
use axum::{
    extract::{RawQuery, State},
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{charts::Chart, error::BuildError, query::Query};

/// How many packages and failures are told of unless the query says.
const PACKAGES: usize = 30;
const FAILURES: usize = 100;

/// Requests, cache hits and failures of the last 30 days.
#[utoipa::path(get, path = "/api/v1/builds-per-day", tag = "statistics", responses(
    (status = 200, description = "A chart of three lines.", body = Chart),
    (status = 404, description = "Statistics are switched off on this server.", body = ErrorBody),
    (status = 503, description = "Redis is away.", body = ErrorBody),
))]
pub(crate) async fn get_builds_per_day(State(queue): State<Queue>) -> Result<Response, ApiError> {
    let days = of(&queue)?.days().await.map_err(BuildError::from)?;
    Ok(json(StatusCode::OK, &Chart::of_days(&days)))
}

/// Builds of the last 26 weeks, by branch or by the versions of one.
#[utoipa::path(get, path = "/api/v1/builds-by-version", tag = "statistics", params(("branch" = Option<String>, Query, description = "A branch such as 24.10; all of them without it.")), responses(
    (status = 200, description = "A chart with a line for each branch or version.", body = Chart),
    (status = 404, description = "Statistics are switched off on this server.", body = ErrorBody),
    (status = 422, description = "A key of the query has a value that it cannot have.", body = ErrorBody),
    (status = 503, description = "Redis is away.", body = ErrorBody),
))]
pub(crate) async fn get_builds_by_version(
    State(queue): State<Queue>,
    State(catalogs): State<Catalogs>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let statistics = of(&queue)?;
    let branch = Query::parse(query.as_deref()).branch(catalogs.openwrt())?;
    let weeks = statistics.weeks().await.map_err(BuildError::from)?;
    Ok(json(StatusCode::OK, &Chart::of_weeks(weeks, branch.as_ref())))
}

#[derive(Serialize, ToSchema)]
pub(crate) struct TopPackages {
    /// The packages, the most frequent first.
    packages: Vec<TopPackage>,
    /// The branch that was asked for; null for all of them.
    branch: Option<Branch>,
    /// Over how many days they were counted.
    days: u32,
}

/// A package and how often it was built.
#[derive(Serialize, ToSchema)]
pub(crate) struct TopPackage {
    /// Its name.
    name: String,
    /// How many builds had it.
    count: u64,
}

/// The packages that most builds of the last 30 days have.
#[utoipa::path(get, path = "/api/v1/top-packages", tag = "statistics", params(
    ("branch" = Option<String>, Query, description = "A branch such as 24.10; all of them without it."),
    ("n" = Option<u32>, Query, description = "How many, 30 unless said.", minimum = 1, maximum = 100),
), responses(
    (status = 200, description = "The packages.", body = TopPackages),
    (status = 404, description = "Statistics are switched off on this server.", body = ErrorBody),
    (status = 422, description = "A key of the query has a value that it cannot have.", body = ErrorBody),
    (status = 503, description = "Redis is away.", body = ErrorBody),
))]
pub(crate) async fn get_top_packages(
    State(queue): State<Queue>,
    State(catalogs): State<Catalogs>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let statistics = of(&queue)?;
    let query = Query::parse(query.as_deref());
    let branch = query.branch(catalogs.openwrt())?;
    let most = query.number("n", PACKAGES, Statistics::MAX_PACKAGES)?;
    let counts = statistics.top_packages(branch.as_ref()).await.map_err(BuildError::from)?;
    let packages = counts.into_iter().take(most).map(|package| TopPackage { name: package.name, count: package.count });
    Ok(json(StatusCode::OK, &TopPackages { packages: packages.collect(), branch, days: Statistics::DAYS }))
}

/// The last builds that failed, a line each: time, version, target, profile, error, detail.
#[utoipa::path(get, path = "/api/v1/build-errors", tag = "statistics", params(
    ("n" = Option<u32>, Query, description = "How many, 100 unless said.", minimum = 1, maximum = 500),
), responses(
    (status = 200, description = "Lines with tabs between their parts, the first line names them.", body = String,
        content_type = "text/plain"),
    (status = 404, description = "Statistics are switched off on this server.", body = ErrorBody),
    (status = 422, description = "A key of the query has a value that it cannot have.", body = ErrorBody),
    (status = 503, description = "Redis is away.", body = ErrorBody),
))]
pub(crate) async fn get_build_errors(
    State(queue): State<Queue>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let statistics = of(&queue)?;
    let most = Query::parse(query.as_deref()).number("n", FAILURES, Statistics::MAX_FAILURES)?;
    let failures = statistics.failures(most).await.map_err(BuildError::from)?;
    let text: String = [HEAD.to_owned()].into_iter().chain(failures.iter().map(render)).collect();
    Ok(([(CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response())
}

fn of(queue: &Queue) -> Result<Statistics, BuildError> {
    queue.statistics().ok_or(BuildError::StatisticsOff)
}

const HEAD: &str = "time\tversion\ttarget\tprofile\terror\tdetail\n";

/// A line with tabs between its parts; a part never has any, nor a line's end.
fn render(failure: &FailureNote) -> String {
    let FailureNote { at, version, target, profile, kind, detail } = failure;
    let time = render_second(i64::try_from(at.get()).unwrap_or_default());
    let parts = [&time, version, target, profile, kind, detail];
    parts.map(|part| part.replace(char::is_control, " ")).join("\t") + "\n"
}
