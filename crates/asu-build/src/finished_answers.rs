//! The rendered answers of finished builds, kept in memory: most requests ask for the same few again and again.

use std::sync::Arc;

use asu_core::{BuildOutcome, RequestHash};
use asu_queue::{AttemptId, FinishedBuild, Queue};
use asu_service::ApiError;
use asu_store::BinDir;
use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header::CONTENT_TYPE},
    response::Response,
};
use bytes::Bytes;
use moka::future::Cache;

use crate::{answer, config::Config, error::BuildError};

/// Finished answers by build and attempt: the outcome of an attempt never changes, so no entry is ever stale.
#[derive(Clone)]
pub(crate) struct FinishedAnswers {
    answers: Cache<Key, Arc<FinishedAnswer>>,
    /// What requests may ask for as `rootfs_size_mb`.
    largest_rootfs: u32,
}

type Key = (RequestHash, AttemptId);

/// The answer to everybody who asks for a build that ended.
pub(crate) struct FinishedAnswer {
    status: StatusCode,
    body: Bytes,
    /// Where the images are, if there are any.
    pub(crate) bin_dir: Option<BinDir>,
}

impl FinishedAnswers {
    pub(crate) fn new(config: &Config) -> Self {
        let weight = |_: &Key, answer: &Arc<FinishedAnswer>| u32::try_from(answer.body.len()).unwrap_or(u32::MAX);
        let most = config.answers.answer_cache_size.get();
        Self {
            answers: Cache::builder().weigher(weight).max_capacity(most).build(),
            largest_rootfs: config.intake.max_custom_rootfs_size_mb,
        }
    }

    /// The answer of this attempt; `None` if the record is gone by now, or is of another attempt.
    pub(crate) async fn get(
        &self,
        queue: &Queue,
        request_hash: &RequestHash,
        attempt: &AttemptId,
    ) -> Result<Option<Arc<FinishedAnswer>>, ApiError> {
        let key = (request_hash.clone(), attempt.clone());
        if let Some(answer) = self.answers.get(&key).await {
            return Ok(Some(answer));
        }
        let build = queue.outcome(request_hash).await.map_err(BuildError::from)?;
        let Some(build) = build.filter(|build| build.attempt == *attempt) else { return Ok(None) };
        let rendered = FinishedAnswer::render(request_hash, &build, self.largest_rootfs);
        let answer = Arc::new(rendered.map_err(|error| ApiError::internal(&error))?);
        self.answers.insert(key, answer.clone()).await;
        Ok(Some(answer))
    }
}

impl FinishedAnswer {
    fn render(
        request_hash: &RequestHash,
        build: &FinishedBuild,
        largest_rootfs: u32,
    ) -> Result<Self, serde_json::Error> {
        let (status, body) = answer::finished(request_hash, build, largest_rootfs)?;
        let bin_dir = match &build.outcome {
            BuildOutcome::Done(result) => BinDir::parse(&result.bin_dir).ok(),
            BuildOutcome::Failed(_) => None,
        };
        Ok(Self { status, body: body.into(), bin_dir })
    }

    /// True if the build made images, whether or not they are still there.
    pub(crate) fn is_done(&self) -> bool {
        self.status == StatusCode::OK
    }

    pub(crate) fn to_response(&self) -> Response {
        let mut response = Response::new(Body::from(self.body.clone()));
        *response.status_mut() = self.status;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        answer::with_headers(response, if self.is_done() { "done" } else { "failed" }, 0)
    }
}
