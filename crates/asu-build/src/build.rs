//! What the handlers of this service share, and their routes.

use std::sync::Arc;

use asu_intake::Intake;
use asu_queue::Queue;
use asu_service::BodyLimit;
use asu_store::Store;
use asu_upstream::Catalogs;
use axum::extract::FromRef;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    documents,
    finished_answers::FinishedAnswers,
    log::{self, Feeds},
    metrics::BuildMetrics,
    overview::Overviews,
    pages::{Pages, page_routes},
    provenance::{self, BuilderId},
    statistics, stats, status, store_files, submit,
    turns::Turns,
};

/// What the handlers of this service share.
#[derive(Clone, FromRef)]
pub struct Build {
    pub(crate) intake: Arc<Intake>,
    pub(crate) queue: Queue,
    pub(crate) store: Store,
    pub(crate) catalogs: Catalogs,
    pub(crate) overviews: Overviews,
    pub(crate) finished: FinishedAnswers,
    pub(crate) feeds: Feeds,
    pub(crate) body_limit: BodyLimit,
    pub(crate) metrics: BuildMetrics,
    pub(crate) pages: Pages,
    pub(crate) turns: Turns,
    pub(crate) builder_id: BuilderId,
}

/// The routes of this service.
pub fn routes(build: Build) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(submit::post_build))
        .routes(routes!(status::get_build))
        .routes(routes!(log::get_log))
        .routes(routes!(provenance::get_provenance))
        .routes(routes!(stats::get_stats))
        .routes(routes!(stats::get_summary))
        .routes(routes!(statistics::get_builds_per_day))
        .routes(routes!(statistics::get_builds_by_version))
        .routes(routes!(statistics::get_top_packages))
        .routes(routes!(statistics::get_build_errors))
        .routes(routes!(store_files::get_file))
        .merge(documents::routes())
        .merge(OpenApiRouter::from(page_routes()))
        .with_state(build)
}
