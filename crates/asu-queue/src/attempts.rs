//! What tells whether anything that an attempt left, a container for example, is still wanted.

use crate::{AttemptId, Queue, QueueError, scripts};

impl Queue {
    /// What this queue is known by, made up when it is first asked for: two queues never share it, whatever their URLs
    /// look like, and a queue that lost its data is another one.
    ///
    /// # Errors
    /// Redis is away or refuses.
    pub async fn id(&self) -> Result<String, QueueError> {
        let action = "ask for the queue's name";
        let key = self.shared.keys.id();
        let proposal = format!("{:032x}", rand::random::<u128>());
        let mut command = redis::cmd("SET");
        command.arg(&key).arg(&proposal).arg("NX").arg("GET");
        let known: Option<String> = self.shared.connection.command(action, &command).await?;
        Ok(known.unwrap_or(proposal))
    }

    /// The attempts that hold a build now. An attempt that is not among them, although it was taken before, is over for
    /// good: it can neither report nor publish anything.
    ///
    /// # Errors
    /// Redis is away or refuses.
    pub async fn running_attempts(&self) -> Result<Vec<AttemptId>, QueueError> {
        let keys = self.shared.keys.of_all();
        let tokens: Vec<String> =
            self.shared.connection.script("ask for the running attempts", &scripts::ATTEMPTS, &keys, &[]).await?;
        Ok(tokens.into_iter().map(AttemptId::from_redis).collect())
    }
}
