//! What a page can do without.

use std::{error::Error, time::Duration};

use asu_service::error_chain;

/// The longest that a page waits for anything.
const PATIENCE: Duration = Duration::from_secs(1);

/// What `work` brings; `None` if it fails or takes too long, so that the page can say that it is away. Who runs the server
/// hears of it from `/ready`.
pub(super) async fn soon<T, E: Error + 'static>(work: impl Future<Output = Result<T, E>>) -> Option<T> {
    match tokio::time::timeout(PATIENCE, work).await {
        Ok(Ok(found)) => Some(found),
        Ok(Err(error)) => {
            tracing::debug!(error = error_chain(&error), "a page does without");
            None
        }
        Err(_elapsed) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn nothing_is_waited_for_in_vain() {
        let never = std::future::pending::<Result<(), std::fmt::Error>>();
        assert_eq!(soon(never).await, None);
        assert_eq!(soon(async { Err::<(), _>(std::fmt::Error) }).await, None);
        assert_eq!(soon(async { Ok::<_, std::fmt::Error>(7) }).await, Some(7));
    }
}
