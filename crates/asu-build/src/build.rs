//! What the handlers of this service share, and their routes.

use std::sync::Arc;

use asu_intake::Intake;
use asu_queue::Queue;
use asu_service::{BodyLimit, alias};
use asu_store::LocalStore;
use asu_upstream::Catalog;
use axum::{extract::FromRef, routing::get};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    finished_answers::FinishedAnswers,
    metrics::BuildMetrics,
    overview::{self, Overviews, get_branches, get_latest, get_overview},
    revision, stats, status, store_files, submit,
    version_documents::{get_version_document, version_documents},
};

/// What the handlers of this service share.
#[derive(Clone, FromRef)]
pub struct Build {
    pub(crate) intake: Arc<Intake>,
    pub(crate) queue: Queue,
    pub(crate) store: LocalStore,
    pub(crate) catalog: Catalog,
    pub(crate) overviews: Overviews,
    pub(crate) finished: FinishedAnswers,
    pub(crate) body_limit: BodyLimit,
    pub(crate) metrics: BuildMetrics,
}

/// The routes of this service.
pub fn routes(build: Build) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(submit::post_build))
        .routes(routes!(status::get_build))
        .routes(routes!(stats::get_stats))
        .routes(routes!(revision::get_revision))
        .routes(routes!(store_files::get_file))
        .merge(documents())
        .with_state(build)
}

/// Clients of all ages ask for the documents at different places and follow no redirect.
fn documents() -> OpenApiRouter<Build> {
    let router = OpenApiRouter::with_openapi(version_documents())
        .route("/json/v1/{*path}", get(get_version_document))
        .routes(routes!(overview::get_overview))
        .routes(routes!(overview::get_branches))
        .routes(routes!(overview::get_latest));
    let overviews = ["/api/v1/overview", "/api/overview", "/overview"];
    let router = overviews
        .into_iter()
        .fold(router, |router, path| alias(router, path, "/json/v1/overview.json", get(get_overview)));
    let latest = ["/json/latest.json", "/api/v1/latest", "/api/latest"];
    let router =
        latest.into_iter().fold(router, |router, path| alias(router, path, "/json/v1/latest.json", get(get_latest)));
    alias(router, "/json/branches.json", "/json/v1/branches.json", get(get_branches))
}
