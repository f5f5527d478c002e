//! Waking an idle worker when there may be something to take, and a busy one when a build of its was cancelled.

use std::{sync::Arc, time::Duration};

use futures::StreamExt;
use redis::aio::PubSub;
use tokio::{
    sync::{Notify, broadcast},
    time::{interval, sleep, timeout},
};
use tokio_util::task::AbortOnDropHandle;

use crate::{Queue, error::chain};

/// Between two tries to subscribe; until then the worker polls.
const RETRY: Duration = Duration::from_millis(500);

/// A silent connection is asked for a sign of life this often.
const PING: Duration = Duration::from_secs(5);

/// The most cancelled attempts that a heartbeat has not looked at; one that missed some looks at Redis.
const CANCELLED: usize = 64;

/// Listens on a connection of its own for as long as it lives.
pub(crate) struct Wake {
    notify: Arc<Notify>,
    cancelled: broadcast::Sender<String>,
    _listening: AbortOnDropHandle<()>,
}

impl Wake {
    pub(crate) fn new(queue: &Queue) -> Self {
        let (notify, cancelled) = (Arc::new(Notify::new()), broadcast::Sender::new(CANCELLED));
        let listening = listen(queue.clone(), Arc::clone(&notify), cancelled.clone());
        Self { notify, cancelled, _listening: AbortOnDropHandle::new(tokio::spawn(listening)) }
    }

    /// The attempts that operators cancel from now on, of whatever worker.
    pub(crate) fn cancelled(&self) -> broadcast::Receiver<String> {
        self.cancelled.subscribe()
    }

    /// Returns when something happened since it last returned.
    pub(crate) async fn woken(&self) {
        self.notify.notified().await;
    }
}

async fn listen(queue: Queue, notify: Arc<Notify>, cancelled: broadcast::Sender<String>) {
    loop {
        match queue.shared.connection.subscribe(&queue.shared.keys.wake).await {
            Ok(subscription) => {
                // What was enqueued before we listened.
                notify.notify_one();
                relay(subscription, queue.shared.connection.limit(), &notify, &cancelled).await;
            }
            Err(error) => tracing::debug!(error = chain(&error), "polling instead of listening"),
        }
        sleep(RETRY).await;
    }
}

/// Until the connection breaks, or is silent even when it is asked.
async fn relay(subscription: PubSub, limit: Duration, notify: &Notify, cancelled: &broadcast::Sender<String>) {
    let (mut sink, mut messages) = subscription.split();
    let mut ping = interval(PING);
    loop {
        tokio::select! {
            message = messages.next() => match message {
                Some(message) => {
                    notify.notify_one();
                    // The token of an attempt that was cancelled, or nothing.
                    let attempt = message.get_payload::<String>().unwrap_or_default();
                    if !attempt.is_empty() {
                        // Without a running build there is nobody to tell.
                        let _ = cancelled.send(attempt);
                    }
                }
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
