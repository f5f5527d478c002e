//! What the handlers of this service share, and their routes.

use std::sync::Arc;

use asu_intake::Intake;
use asu_queue::Queue;
use asu_service::BodyLimit;
use asu_store::LocalStore;
use asu_upstream::Catalog;
use axum::{
    Router,
    extract::FromRef,
    routing::{get, post},
};

use crate::{
    finished_answers::FinishedAnswers,
    metrics::BuildMetrics,
    overview::{Overviews, get_branches, get_latest, get_overview},
    revision::get_revision,
    stats::get_stats,
    status::get_build,
    store_files::get_file,
    submit::post_build,
    version_documents::get_version_document,
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
pub fn routes(build: Build) -> Router {
    Router::new()
        .route("/api/v1/build", post(post_build))
        .route("/api/v1/build/{request_hash}", get(get_build))
        .route("/api/v1/stats", get(get_stats))
        .route("/api/v1/revision/{version}/{target}/{subtarget}", get(get_revision))
        .route("/json/v1/{*path}", get(get_version_document))
        .route("/store/{bin_dir}/{file}", get(get_file))
        .merge(overview_routes())
        .with_state(build)
}

/// Clients of all ages ask at different places and follow no redirect.
fn overview_routes() -> Router<Build> {
    Router::new()
        .route("/json/v1/overview.json", get(get_overview))
        .route("/api/v1/overview", get(get_overview))
        .route("/api/overview", get(get_overview))
        .route("/overview", get(get_overview))
        .route("/json/v1/branches.json", get(get_branches))
        .route("/json/branches.json", get(get_branches))
        .route("/json/v1/latest.json", get(get_latest))
        .route("/json/latest.json", get(get_latest))
        .route("/api/v1/latest", get(get_latest))
        .route("/api/latest", get(get_latest))
}
