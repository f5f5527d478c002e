//! How long to wait: between two questions, and altogether.

use std::{future::Future, time::Duration};

use tokio::time::{Instant, sleep, timeout_at};

use crate::client::error::ClientError;

/// How much longer the pauses become in the end.
const GROWTH: u32 = 5;

/// The pauses between questions and the end of all waiting.
#[derive(Debug)]
pub(crate) struct Patience {
    limit: Duration,
    deadline: Instant,
    pause: Duration,
    longest_pause: Duration,
}

impl Patience {
    /// Waits `limit` altogether, `pause` between the first questions.
    pub(crate) fn new(limit: Duration, pause: Duration) -> Self {
        // An hour of waiting fits into any clock; ten thousand years need not.
        let deadline = Instant::now() + limit.min(Duration::from_secs(365 * 24 * 3600));
        Self { limit, deadline, pause, longest_pause: pause.saturating_mul(GROWTH) }
    }

    /// Pauses before the next question, longer each time, and as long as the server asks for.
    ///
    /// # Errors
    /// The pause would last beyond the end; `last` says what was waited for.
    pub(crate) async fn pause(&mut self, asked_for: Option<Duration>, last: &str) -> Result<(), ClientError> {
        let pause = asked_for.unwrap_or_default().max(self.pause);
        if pause >= self.deadline.saturating_duration_since(Instant::now()) {
            return Err(self.timed_out(last));
        }
        self.pause = self.pause.mul_f64(1.2).min(self.longest_pause);
        sleep(pause).await;
        Ok(())
    }

    /// Waits for an answer, but not beyond the end.
    pub(crate) async fn wait_for<T>(
        &self,
        question: impl Future<Output = Result<T, ClientError>>,
        last: &str,
    ) -> Result<T, ClientError> {
        timeout_at(self.deadline, question).await.unwrap_or_else(|_| Err(self.timed_out(last)))
    }

    fn timed_out(&self, last: &str) -> ClientError {
        ClientError::TimedOut { limit: self.limit, last: last.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn pauses_grow_and_end_with_the_limit() {
        let mut patience = Patience::new(Duration::from_secs(60), Duration::from_secs(1));
        let start = Instant::now();
        let mut pauses = 0;
        while patience.pause(None, "queued").await.is_ok() {
            pauses += 1;
        }
        assert!((10..=25).contains(&pauses), "{pauses} pauses");
        assert!(start.elapsed() > Duration::from_secs(50) && start.elapsed() <= Duration::from_secs(60));
        assert_eq!(patience.pause, Duration::from_secs(5));
    }

    #[tokio::test(start_paused = true)]
    async fn the_server_may_ask_for_a_longer_pause() {
        let mut patience = Patience::new(Duration::from_secs(60), Duration::from_secs(1));
        let start = Instant::now();
        patience.pause(Some(Duration::from_secs(30)), "busy").await.unwrap();
        assert_eq!(start.elapsed(), Duration::from_secs(30));
        let error = patience.pause(Some(Duration::from_secs(40)), "busy").await.unwrap_err();
        assert_eq!(error.to_string(), "not done within 60s: busy");
    }

    #[tokio::test(start_paused = true)]
    async fn a_question_without_an_answer_ends_with_the_limit() {
        let patience = Patience::new(Duration::from_secs(3), Duration::from_secs(1));
        let error = patience.wait_for(std::future::pending::<Result<(), _>>(), "asked").await.unwrap_err();
        assert!(matches!(error, ClientError::TimedOut { .. }));
    }
}
