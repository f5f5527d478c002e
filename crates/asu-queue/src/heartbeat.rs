//! The heartbeat of a running build.

use std::time::Duration;

use tokio::sync::{broadcast, watch};
use tokio_util::sync::CancellationToken;

use crate::{
    error::chain,
    tenure::{Progress, Tenure},
};

/// Between two tries while Redis is away: often, so that the lease is renewed before others look at it.
const RETRY: Duration = Duration::from_millis(250);

/// Renews the lease three times in its length and reports progress as it comes, until the token is gone. While Redis is
/// away the build goes on: nobody else can take it either, and before anything is published the token is checked.
pub(crate) async fn keep(
    tenure: Tenure,
    mut progress: watch::Receiver<Progress>,
    mut cancelled: broadcast::Receiver<String>,
    lost: CancellationToken,
) {
    let period = tenure.queue.shared.config.lease.get() / 3;
    let (mut news, mut away) = (false, false);
    loop {
        tokio::select! {
            () = tokio::time::sleep(if away { RETRY.min(period) } else { period }) => {}
            () = told(&mut cancelled, &tenure) => {}
            changed = progress.changed() => match changed {
                Ok(()) => news = true,
                Err(_) => return,
            },
        }
        let latest = news.then(|| progress.borrow_and_update().clone());
        match tenure.beat(latest.as_ref()).await {
            Ok(true) => {
                if away {
                    tracing::info!(build.request_hash = %tenure.request_hash, "the lease is renewed again");
                }
                (news, away) = (false, false);
            }
            Ok(false) => {
                tracing::warn!(build.request_hash = %tenure.request_hash, "the build is not ours any more");
                return lost.cancel();
            }
            Err(error) => {
                if !away {
                    let error = chain(&error);
                    tracing::warn!(build.request_hash = %tenure.request_hash, error, "building on without a lease");
                }
                away = true;
            }
        }
    }
}

/// Returns when an operator is said to have cancelled this attempt; the next beat will tell.
async fn told(cancelled: &mut broadcast::Receiver<String>, tenure: &Tenure) {
    loop {
        match cancelled.recv().await {
            Ok(attempt) if attempt == tenure.attempt.as_str() => return,
            // What was missed may have been about us.
            Err(broadcast::error::RecvError::Lagged(_)) => return,
            Ok(_) => {}
            // The worker takes no more builds and listens no more.
            Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
        }
    }
}
