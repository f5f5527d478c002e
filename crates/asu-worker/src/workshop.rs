//! What all builds of one worker share.

use std::sync::Arc;

use asu_core::{AllowList, MakeInfo};
use asu_queue::Queue;
use asu_sandbox::{ImageId, Podman};
use asu_store::Store;
use moka::future::Cache;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::{
    cache_url::CacheUrl, config::Config, images::Images, metrics::Metrics, signing::SigningKey, snapshots::Snapshots,
    upstream::Upstream, watch::Watch, worker_identity::WorkerIdentity,
};

/// The tools and the memory of a worker.
#[derive(Debug)]
pub(crate) struct Workshop {
    pub(crate) config: Config,
    pub(crate) allow_list: AllowList,
    pub(crate) cache: Option<CacheUrl>,
    pub(crate) identity: WorkerIdentity,
    pub(crate) queue: Queue,
    pub(crate) podman: Podman,
    pub(crate) store: Store,
    pub(crate) images: Images,
    /// What images are signed with, if they are.
    pub(crate) signing_key: Option<SigningKey>,
    pub(crate) upstream: Upstream,
    pub(crate) snapshots: Snapshots,
    /// What ImageBuilders say about themselves; an image never changes its mind.
    pub(crate) infos: Cache<ImageId, Arc<MakeInfo>>,
    pub(crate) metrics: Metrics,
    pub(crate) watch: Arc<Watch>,
    /// More is in the store than before.
    pub(crate) published: Notify,
    /// Ends running builds: the grace of the shutdown is over.
    pub(crate) kill: CancellationToken,
}
