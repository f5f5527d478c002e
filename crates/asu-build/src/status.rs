//! `GET /api/v1/build/{request_hash}`: where is this build? And the same answer for who posts its request.

use asu_core::RequestHash;
use asu_queue::{AttemptId, BuildStatus, ClientKey, Enqueued, QueuedBuild};
use asu_service::{ApiError, ErrorBody};
use axum::{
    extract::{Path, State, rejection::PathRejection},
    response::Response,
};

use crate::{
    answer::{self, BuildAnswer, Done, Failed},
    build::Build,
    error::BuildError,
    finished_answers::FinishedAnswer,
};

/// How far is a build?
///
/// HEAD has the same status and the same headers; some clients poll with it.
#[utoipa::path(get, path = "/api/v1/build/{request_hash}", tag = "builds",
    params(("request_hash" = RequestHash, Path, description = "The name of the build, from the answer to its request.")),
    responses(
        (status = 200, description = "It is done: the images are in the store.", body = Done, headers(
                ("X-Imagebuilder-Status" = String, description = "`queued`, a stage, `done` or `failed`."),
                ("X-Queue-Position" = u64, description = "0 unless the build is queued."),
            )),
        (status = 202, description = "It waits or runs. Only a build that waits has `queue_position`.", body = BuildAnswer,
            headers(
                ("X-Imagebuilder-Status" = String, description = "`queued`, a stage, `done` or `failed`."),
                ("X-Queue-Position" = u64, description = "0 unless the build is queued."),
            )),
        (status = 404, description = "There is no such build, or not any more.", body = ErrorBody),
        (status = 500, description = "There will be no images; `detail` says why.", body = Failed, headers(
                ("X-Imagebuilder-Status" = String, description = "`queued`, a stage, `done` or `failed`."),
                ("X-Queue-Position" = u64, description = "0 unless the build is queued."),
            )),
        (status = 503, description = "Redis or the store is away.", body = ErrorBody),
    ),
)]
pub(crate) async fn get_build(
    State(build): State<Build>,
    path: Result<Path<String>, PathRejection>,
) -> Result<Response, ApiError> {
    // Whatever is no hash is the hash of no build.
    let Path(text) = path.map_err(|_| BuildError::UnknownBuild)?;
    let request_hash = RequestHash::parse(&text).map_err(|_| BuildError::UnknownBuild)?;
    let _turn = build.turns.of_poll().await;
    while let Some(status) = build.queue.status(&request_hash).await.map_err(BuildError::from)? {
        if let Some(response) = build.answer(&request_hash, status).await? {
            return Ok(response);
        }
    }
    Err(BuildError::UnknownBuild.into())
}

impl Build {
    /// Puts a build of this client in line, or answers for the one that is known.
    pub(crate) async fn submit(
        &self,
        client: &ClientKey,
        request_hash: &RequestHash,
        build: QueuedBuild,
    ) -> Result<Response, ApiError> {
        let mut enqueued = self.queue.enqueue_for(client, request_hash, &build).await.map_err(BuildError::from)?;
        loop {
            let status = match enqueued {
                Enqueued::Limited { limit, wait } => {
                    self.metrics.count_limited(limit);
                    return Err(BuildError::ClientLimit { limit, wait }.into());
                }
                Enqueued::Full { length } => {
                    self.metrics.count_refused();
                    return Err(BuildError::QueueFull { length }.into());
                }
                Enqueued::New(status) => {
                    self.metrics.count_new();
                    status
                }
                Enqueued::Known(status) => {
                    self.metrics.count_known(&status);
                    status
                }
            };
            if let Some(response) = self.answer(request_hash, status).await? {
                return Ok(response);
            }
            enqueued = self.queue.enqueue(request_hash, &build).await.map_err(BuildError::from)?;
        }
    }

    /// The answer to everybody who asks for a known build, however they ask. Nothing if the build moved on while it was
    /// looked at (it expired, or others had it built again): then its status is another one now.
    pub(crate) async fn answer(
        &self,
        request_hash: &RequestHash,
        status: BuildStatus,
    ) -> Result<Option<Response>, ApiError> {
        let finished = match status {
            BuildStatus::Queued { position, enqueued_at, eta } => {
                return Ok(Some(answer::queued(request_hash, position, enqueued_at, eta)));
            }
            BuildStatus::Started { stage, build_cmd, enqueued_at, started_at: _, request } => {
                return Ok(Some(answer::started(request_hash, &request, stage, build_cmd, enqueued_at)));
            }
            BuildStatus::Done(finished) | BuildStatus::Failed(finished) => finished,
        };
        let Some(answer) = self.finished.get(&self.queue, request_hash, &finished.attempt).await? else {
            return Ok(None);
        };
        if self.has_its_files(&answer).await? {
            return Ok(Some(answer.to_response()));
        }
        self.build_again(request_hash, &finished.attempt).await
    }

    /// A link that leads nowhere must never be given out.
    async fn has_its_files(&self, answer: &FinishedAnswer) -> Result<bool, BuildError> {
        match &answer.bin_dir {
            Some(bin_dir) => Ok(self.store.contains(bin_dir).await?),
            None => Ok(!answer.is_done()),
        }
    }

    /// The images of this attempt are gone: it is built once more, from the request in its record, and on nobody's
    /// account, since nobody asked for more than what was there. A queue that is full leaves it dropped, because who
    /// polls must not be told about load.
    async fn build_again(&self, request_hash: &RequestHash, attempt: &AttemptId) -> Result<Option<Response>, ApiError> {
        match self.queue.build_again(request_hash, attempt).await.map_err(BuildError::from)? {
            // Of another attempt nobody knows yet whether its images are there.
            Some(status) => Box::pin(self.answer(request_hash, status)).await,
            None => Ok(None),
        }
    }
}
