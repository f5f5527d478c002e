//! Whose turn it is to tidy up: one at a time, so that nobody deletes by numbers that another has made wrong.

use std::time::Duration;

use crate::{AttemptId, Queue, QueueError, queue::millis, scripts};

/// Who is not heard of for so long has stopped tidying up.
const TURN: Duration = Duration::from_secs(60);

/// The turn to tidy up. It ends by itself if it is not kept up, and at once with [`SweepTurn::end`].
#[derive(Debug)]
pub struct SweepTurn {
    queue: Queue,
    token: AttemptId,
}

impl Queue {
    /// Takes the turn to tidy up; `None` if another one has it.
    ///
    /// # Errors
    /// Redis is away or refuses.
    pub async fn sweep_turn(&self) -> Result<Option<SweepTurn>, QueueError> {
        let turn = SweepTurn { queue: self.clone(), token: AttemptId::random() };
        Ok(turn.keep().await?.then_some(turn))
    }
}

impl SweepTurn {
    /// Keeps the turn; false if it went to another one meanwhile.
    ///
    /// # Errors
    /// Redis is away or refuses.
    pub async fn keep(&self) -> Result<bool, QueueError> {
        self.ask(&millis(TURN)).await
    }

    /// Lets others have it.
    ///
    /// # Errors
    /// Redis is away or refuses; the turn ends by itself.
    pub async fn end(self) -> Result<(), QueueError> {
        self.ask("0").await.map(drop)
    }

    async fn ask(&self, ttl: &str) -> Result<bool, QueueError> {
        let keys = self.queue.shared.keys.of_turn();
        let mut reply =
            self.queue.ask("take turns in tidying up", &scripts::TURN, keys, &[self.token.as_str(), ttl]).await?;
        Ok(reply.text()? == "ours")
    }
}
