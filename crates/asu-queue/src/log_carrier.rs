//! Carrying the log of a running build to Redis, beside the build and without any say in it.

use std::time::Duration;

use tokio::time::timeout;
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use crate::{
    QueueError,
    error::chain,
    live_log::{Entry, LARGEST_ENTRY, LiveLog},
    queue::millis,
    scripts,
    tenure::{Held, Tenure},
};

/// Between two tries while Redis is away.
const RETRY: Duration = Duration::from_secs(1);

/// Carries one attempt's log for as long as it lives.
#[derive(Debug)]
pub(crate) struct LogCarrier {
    closing: CancellationToken,
    task: AbortOnDropHandle<()>,
}

impl LogCarrier {
    pub(crate) fn start(tenure: Tenure, log: LiveLog) -> Self {
        let closing = CancellationToken::new();
        let task = AbortOnDropHandle::new(tokio::spawn(carry(tenure, log, closing.clone())));
        Self { closing, task }
    }

    /// Carries what is left, if that is possible within `limit`.
    pub(crate) async fn close(&mut self, limit: Duration) {
        self.closing.cancel();
        let _ = timeout(limit, &mut self.task).await;
    }
}

async fn carry(tenure: Tenure, log: LiveLog, closing: CancellationToken) {
    let config = &tenure.queue.shared.config;
    // An empty hand now and then keeps the log of a silent build from expiring.
    let (interval, patience) = (config.live_log_interval.get(), config.live_log_ttl.get() / 3);
    let mut batch = Vec::new();
    loop {
        tokio::select! {
            () = log.filled(interval, patience) => {}
            () = closing.cancelled() => {}
        }
        let last = closing.is_cancelled();
        if batch.is_empty() {
            batch = log.take();
        }
        match append(&tenure, &batch).await {
            Ok(true) => batch.clear(),
            Ok(false) => return,
            Err(error) => {
                tracing::debug!(build.request_hash = %tenure.request_hash, error = chain(&error), "the log waits");
                if last {
                    return;
                }
                let _ = timeout(RETRY, closing.cancelled()).await;
                continue;
            }
        }
        if last && log.is_empty() {
            return;
        }
    }
}

/// Sent twice it is there once.
async fn append(tenure: &Tenure, entries: &[Entry]) -> Result<Held, QueueError> {
    let config = &tenure.queue.shared.config;
    // So that there is room for the entry that lies across the border.
    let bytes = config.max_live_log_size.get().saturating_sub(LARGEST_ENTRY as u64).to_string();
    let (most, ttl) = (config.max_live_log_entries.to_string(), millis(config.live_log_ttl.get()));
    let ends: Vec<_> = entries.iter().map(|entry| entry.end.to_string()).collect();
    let mut args = vec![tenure.attempt.as_str(), &bytes, &most, &ttl];
    for (entry, end) in entries.iter().zip(&ends) {
        args.extend([end.as_str(), entry.kind, entry.text.as_str()]);
    }
    let keys = tenure.queue.shared.keys.of_log(&tenure.request_hash);
    let mut reply = tenure.queue.ask("tell the log of the build", &scripts::APPEND_LOG, keys, &args).await?;
    Ok(reply.text()? == "appended")
}
