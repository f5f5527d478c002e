//! Who follows which build: one feed per build, however many follow it, and not too many in all.

use std::{
    collections::HashMap,
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use asu_core::RequestHash;
use asu_queue::Queue;
use asu_service::Shutdown;
use axum::body::Body;
use bytes::Bytes;
use futures::stream::poll_fn;
use prometheus_client::{metrics::gauge::Gauge, registry::Registry};
use tokio::sync::{Semaphore, mpsc};

use crate::{
    config::{Config, LogConfig},
    error::BuildError,
    log::{
        cursor::Cursor,
        feed::{Feed, Looks},
        follower::{Follower, Place},
    },
};

/// The followers of this process. Clones are the same ones.
#[derive(Clone)]
pub(crate) struct Feeds {
    shared: Arc<Shared>,
}

struct Shared {
    looks: Looks,
    config: LogConfig,
    places: Arc<Semaphore>,
    feeds: Mutex<HashMap<RequestHash, Weak<Feed>>>,
    followers: Gauge,
    shutdown: Shutdown,
}

impl Feeds {
    /// Nobody follows anything yet.
    pub(crate) fn new(config: &Config, queue: Queue, registry: &mut Registry, shutdown: &Shutdown) -> Self {
        let followers = Gauge::default();
        registry.register("asu_build_log_followers", "Clients that follow the log of a build", followers.clone());
        let looks =
            Looks { queue, interval: config.log.log_poll_interval.get(), most: config.queue.max_live_log_size.get() };
        let places = Arc::new(Semaphore::new(config.log.max_log_followers.min(Semaphore::MAX_PERMITS)));
        let (config, shutdown, feeds) = (config.log.clone(), shutdown.clone(), Mutex::default());
        Self { shared: Arc::new(Shared { looks, config, places, feeds, followers, shutdown }) }
    }

    /// A body of events for one client. Nothing is made before the client takes what was made before.
    ///
    /// # Errors
    /// There is no place.
    pub(super) fn follow(&self, request_hash: RequestHash, cursor: Cursor) -> Result<Body, BuildError> {
        let Shared { config, places, followers, shutdown, .. } = self.shared.as_ref();
        let limit = config.max_log_followers;
        let permit = places.clone().try_acquire_owned().map_err(|_| BuildError::TooManyFollowers { limit })?;
        let (client, mut events) = mpsc::channel::<Bytes>(1);
        let follower = Follower {
            feed: self.feed(request_hash),
            cursor,
            client,
            heartbeat: config.log_heartbeat.get(),
            write_timeout: config.log_write_timeout.get(),
            shutdown: shutdown.clone(),
            _place: Place::new(permit, followers.clone()),
        };
        shutdown.spawn("a follower of a log", follower.run());
        Ok(Body::from_stream(poll_fn(move |context| {
            events.poll_recv(context).map(|event| event.map(Ok::<_, Infallible>))
        })))
    }

    fn feed(&self, request_hash: RequestHash) -> Arc<Feed> {
        let mut feeds = self.shared.feeds.lock().unwrap_or_else(PoisonError::into_inner);
        let live = feeds.get(&request_hash).and_then(Weak::upgrade).filter(|feed| !feed.is_over());
        live.unwrap_or_else(|| {
            feeds.retain(|_, feed| feed.strong_count() > 0);
            let feed = Arc::new(Feed::start(self.shared.looks.clone(), request_hash.clone()));
            feeds.insert(request_hash, Arc::downgrade(&feed));
            feed
        })
    }
}
