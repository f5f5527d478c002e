//! Watching what builds need: Podman, its network, room in the store, and that no operator is against it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use asu_queue::{Queue, WorkerName};
use asu_sandbox::{Podman, SandboxError};
use asu_service::error_chain;
use asu_store::Store;
use tokio::{sync::Notify, time::sleep};

use crate::{
    metrics::Metrics,
    pause::{Pause, PauseReason},
};

/// Between two looks while all is well.
const LOOK: Duration = Duration::from_secs(5);

/// After the first trouble with Podman; doubles up to [`LONGEST`].
const SHORTEST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(60);

/// Looks at the surroundings again and again, and pauses the worker while they are broken.
#[derive(Debug)]
pub(crate) struct Watch {
    podman: Podman,
    store: Store,
    queue: Queue,
    worker: WorkerName,
    pause: Pause,
    metrics: Metrics,
    /// Troubles with Podman since the last container that worked.
    troubles: AtomicU32,
    news: Notify,
    /// The store has too little room.
    short: Notify,
}

impl Watch {
    /// Looks at nothing yet.
    pub(crate) fn new(
        podman: Podman,
        store: Store,
        (queue, worker): (Queue, WorkerName),
        pause: Pause,
        metrics: Metrics,
    ) -> Arc<Self> {
        let (troubles, news, short) = (AtomicU32::new(0), Notify::new(), Notify::new());
        Arc::new(Self { podman, store, queue, worker, pause, metrics, troubles, news, short })
    }

    /// What keeps the worker from taking builds.
    pub(crate) fn pause(&self) -> &Pause {
        &self.pause
    }

    /// Looks for as long as nobody drops it.
    pub(crate) async fn keep(&self) {
        loop {
            // The first look at Podman may let builds in: what else they need has been seen by then.
            self.look_at_store().await;
            self.ask_whether_drained().await;
            self.look_at_podman().await;
            tokio::select! {
                () = sleep(self.next_look()) => {}
                // A build ran into trouble: the wait begins anew, and is the shorter one.
                () = self.news.notified() => sleep(self.next_look()).await,
            }
        }
    }

    /// A build could not be run because of Podman: nothing is taken until a look has found it well.
    pub(crate) fn podman_failed(&self, error: &(dyn std::error::Error + 'static)) {
        self.troubles.fetch_add(1, Ordering::Relaxed);
        self.pause.begin(PauseReason::Podman, &error_chain(error));
        self.news.notify_one();
    }

    /// Returns when the store has too little room, or was said to have.
    pub(crate) async fn store_is_short(&self) {
        self.short.notified().await;
    }

    /// A container worked.
    pub(crate) fn podman_works(&self) {
        self.troubles.store(0, Ordering::Relaxed);
    }

    fn next_look(&self) -> Duration {
        if !self.pause.holds_for(PauseReason::Podman) {
            return LOOK;
        }
        let troubles = self.troubles.load(Ordering::Relaxed).saturating_sub(1);
        SHORTEST.saturating_mul(2_u32.saturating_pow(troubles)).min(LONGEST)
    }

    async fn look_at_podman(&self) {
        match self.ask_podman().await {
            Ok(()) => self.pause.end(PauseReason::Podman),
            Err(error) => {
                self.troubles.fetch_add(1, Ordering::Relaxed);
                self.pause.begin(PauseReason::Podman, &error_chain(&error));
            }
        }
    }

    /// The network is looked for only after a pause: Podman forgets it only together with everything else.
    async fn ask_podman(&self) -> Result<(), SandboxError> {
        self.podman.ping().await?;
        if self.pause.holds_for(PauseReason::Podman) { self.podman.ensure_network().await } else { Ok(()) }
    }

    async fn look_at_store(&self) {
        if let Ok(space) = self.store.staging_space().await {
            #[expect(clippy::cast_precision_loss, reason = "a disk's size in some 2^53 bytes is exact enough")]
            self.metrics.disk_free.set(space.free as f64);
        }
        let looked = match self.store.check_space().await {
            Ok(()) => self.store.check_writable().await,
            full => full,
        };
        match looked {
            Ok(()) => self.pause.end(PauseReason::Store),
            Err(error) => {
                if error.is_full() {
                    self.short.notify_one();
                }
                self.pause.begin(PauseReason::Store, &error_chain(&error));
            }
        }
    }

    /// The queue gives a drained worker nothing anyhow; this is for everybody else to know. While Redis is away the last
    /// word counts.
    async fn ask_whether_drained(&self) {
        match self.queue.is_drained(&self.worker).await {
            Ok(true) => self.pause.begin(PauseReason::Drained, &"an operator wants this worker to take no more builds"),
            Ok(false) => self.pause.end(PauseReason::Drained),
            Err(error) => tracing::debug!(error = error_chain(&error), "cannot ask whether this worker is drained"),
        }
    }
}
