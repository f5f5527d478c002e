//! Waking an idle worker when there may be something to take.

use std::{sync::Arc, time::Duration};

use futures::StreamExt;
use redis::aio::PubSub;
use tokio::{
    sync::Notify,
    time::{interval, sleep, timeout},
};
use tokio_util::task::AbortOnDropHandle;

use crate::{Queue, error::chain};

/// Between two tries to subscribe; until then the worker polls.
const RETRY: Duration = Duration::from_millis(500);

/// A silent connection is asked for a sign of life this often.
const PING: Duration = Duration::from_secs(5);

/// Listens on a connection of its own for as long as it lives.
pub(crate) struct Wake {
    notify: Arc<Notify>,
    _listening: AbortOnDropHandle<()>,
}

impl Wake {
    pub(crate) fn new(queue: &Queue) -> Self {
        let notify = Arc::new(Notify::new());
        let listening = AbortOnDropHandle::new(tokio::spawn(listen(queue.clone(), Arc::clone(&notify))));
        Self { notify, _listening: listening }
    }

    /// Returns when something happened since it last returned.
    pub(crate) async fn woken(&self) {
        self.notify.notified().await;
    }
}

async fn listen(queue: Queue, notify: Arc<Notify>) {
    loop {
        match queue.shared.connection.subscribe(&queue.shared.keys.wake).await {
            Ok(subscription) => {
                // What was enqueued before we listened.
                notify.notify_one();
                relay(subscription, queue.shared.connection.limit(), &notify).await;
            }
            Err(error) => tracing::debug!(error = chain(&error), "polling instead of listening"),
        }
        sleep(RETRY).await;
    }
}

/// Until the connection breaks, or is silent even when it is asked.
async fn relay(subscription: PubSub, limit: Duration, notify: &Notify) {
    let (mut sink, mut messages) = subscription.split();
    let mut ping = interval(PING);
    loop {
        tokio::select! {
            message = messages.next() => match message {
                Some(_) => notify.notify_one(),
                None => return,
            },
            _ = ping.tick() => {
                if !matches!(timeout(limit, sink.ping::<redis::Value>()).await, Ok(Ok(_))) {
                    return;
                }
            }
        }
    }
}
