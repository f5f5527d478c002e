//! One client that follows a log, and the events it gets.

use std::{sync::Arc, time::Duration};

use asu_service::Shutdown;
use bytes::Bytes;
use prometheus_client::metrics::gauge::Gauge;
use tokio::{
    sync::{OwnedSemaphorePermit, mpsc},
    time::{Instant, sleep_until, timeout},
};

use crate::log::{
    cursor::Cursor,
    event::{HEARTBEAT, render},
    feed::Feed,
};

/// Tells one client what there is to tell. It ends, and its place is free, when the build does, when the client goes
/// away or takes nothing for too long, and when the process ends.
pub(super) struct Follower {
    pub(super) feed: Arc<Feed>,
    pub(super) cursor: Cursor,
    /// Has room for one event: more waits where it is held for all followers.
    pub(super) client: mpsc::Sender<Bytes>,
    pub(super) heartbeat: Duration,
    pub(super) write_timeout: Duration,
    pub(super) shutdown: Shutdown,
    pub(super) _place: Place,
}

/// A place among the followers of this process.
pub(super) struct Place {
    _permit: OwnedSemaphorePermit,
    followers: Gauge,
}

impl Place {
    pub(super) fn new(permit: OwnedSemaphorePermit, followers: Gauge) -> Self {
        followers.inc();
        Self { _permit: permit, followers }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.followers.dec();
    }
}

impl Follower {
    pub(super) async fn run(mut self) {
        let mut scene = self.feed.scene.clone();
        let mut heartbeat = Instant::now() + self.heartbeat;
        loop {
            let told = self.cursor.next(&scene.borrow_and_update());
            let event = if let Some(told) = told {
                render(&told)
            } else {
                tokio::select! {
                    // An end without an end: the task that looks at the build is gone.
                    changed = scene.changed() => match changed {
                        Ok(()) => continue,
                        Err(_) => return,
                    },
                    () = sleep_until(heartbeat) => HEARTBEAT,
                    () = self.client.closed() => return,
                    () = self.shutdown.begun() => return,
                }
            };
            if !self.send(event).await {
                return;
            }
            heartbeat = Instant::now() + self.heartbeat;
        }
    }

    /// False if nobody takes it.
    async fn send(&self, event: Bytes) -> bool {
        tokio::select! {
            sent = timeout(self.write_timeout, self.client.send(event)) => matches!(sent, Ok(Ok(()))),
            () = self.shutdown.begun() => false,
        }
    }
}
