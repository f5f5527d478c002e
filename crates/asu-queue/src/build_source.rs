//! The queue as apalis sees it: where a worker's builds come from.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll, ready},
};

use apalis_core::{
    backend::{Backend, BackendConfig, finalize::Ephemeral},
    layers::Identity,
    task::{
        Task,
        builder::TaskBuilder,
        task_id::{RandomId, TaskId},
    },
    worker::context::WorkerContext,
};
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::{Claim, Gate, Queue, QueueError, WorkerName, presence, taker::Taker, wake::Wake};

/// The builds for one worker: an apalis backend whose tasks are [`Claim`]s.
///
/// Takes run in a task of their own, which nobody cancels half-way; what they bring when nobody wants it any more goes
/// straight back to its place in line. No trouble with Redis is an error here, since that would end the worker and the builds
/// that it runs. To pause, shut the [`Gate`]: pausing the apalis worker does not reach a take that is under way.
pub struct BuildSource {
    taker: Arc<Taker>,
    taking: Option<JoinHandle<Option<Claim>>>,
    stop: CancellationToken,
    _stop_when_dropped: DropGuard,
}

impl BuildSource {
    pub(crate) fn new(queue: Queue, worker: WorkerName, slots: usize, gate: Gate) -> Self {
        let stop = CancellationToken::new();
        tokio::spawn(presence::announce(queue.clone(), worker.clone(), slots, stop.clone()));
        let wake = Wake::new(&queue);
        let taker = Arc::new(Taker { queue, worker, gate, wake, stop: stop.clone(), context: OnceLock::new() });
        Self { taker, taking: None, _stop_when_dropped: stop.clone().drop_guard(), stop }
    }

    /// The next build, for workers without apalis. May be dropped and called again.
    ///
    /// # Errors
    /// Only a bug of this crate.
    pub async fn next(&mut self) -> Result<Claim, QueueError> {
        loop {
            if let Some(claim) = std::future::poll_fn(|cx| self.poll_claim(cx)).await? {
                return Ok(claim);
            }
        }
    }

    /// Stops taking; what is taken at this moment goes back. Returns when it has.
    pub async fn close(mut self) {
        std::future::poll_fn(|cx| self.poll_stop(cx)).await;
    }

    fn poll_claim(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Claim>, QueueError>> {
        let taking = self.taking.get_or_insert_with(|| {
            let taker = Arc::clone(&self.taker);
            tokio::spawn(async move { taker.next().await })
        });
        let taken = ready!(Pin::new(taking).poll(cx));
        self.taking = None;
        Poll::Ready(taken.map_err(QueueError::Panicked))
    }

    fn poll_stop(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.stop.cancel();
        while let Some(taking) = &mut self.taking {
            let taken = ready!(Pin::new(taking).poll(cx));
            // It was taken before the stop and never handed out.
            self.taking = taken.ok().flatten().map(|claim| {
                tokio::spawn(async move {
                    let _ = claim.lease.give_back("the worker stops").await;
                    None
                })
            });
        }
        Poll::Ready(())
    }
}

impl Backend for BuildSource {
    type Task = Task<Claim>;
    type Error = QueueError;

    fn poll_ready(&mut self, _: &mut Context<'_>, _: &WorkerContext) -> Poll<Result<(), QueueError>> {
        Poll::Ready(Ok(()))
    }

    fn poll_next(
        &mut self,
        cx: &mut Context<'_>,
        worker: &WorkerContext,
    ) -> Poll<Option<Result<Self::Task, QueueError>>> {
        self.taker.context.get_or_init(|| worker.clone());
        let claim = match ready!(self.poll_claim(cx)) {
            Ok(Some(claim)) => claim,
            Ok(None) => return Poll::Ready(None),
            Err(error) => return Poll::Ready(Some(Err(error))),
        };
        let id = TaskId::from_string(format!("{}-{}", claim.lease.attempt(), claim.request_hash));
        Poll::Ready(Some(Ok(TaskBuilder::new(claim).task_id(id).build())))
    }

    fn poll_close(&mut self, cx: &mut Context<'_>, _: &WorkerContext) -> Poll<Result<(), QueueError>> {
        self.poll_stop(cx).map(Ok)
    }
}

impl BackendConfig for BuildSource {
    type Args = Claim;
    type Id = RandomId;
    type Kind = Ephemeral;
    type Config = ();
    type Layer = Identity;

    fn config(&self) -> &() {
        &()
    }

    fn middleware(&mut self, _: &mut WorkerContext) -> Identity {
        Identity::new()
    }
}

impl fmt::Debug for BuildSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BuildSource").field("worker", &self.taker.worker).finish_non_exhaustive()
    }
}
