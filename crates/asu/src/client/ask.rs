//! Asks the server and has patience with it.

use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use crate::client::{answer::Answer, api::Api, error::ClientError, patience::Patience, progress::Progress};

/// A question to the server that may be asked as often as needed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Question<'a> {
    /// What would become of this request?
    Prepare(&'a Value),
    /// Build this; the same request again is the same build.
    Submit {
        /// The request.
        request: &'a Value,
        /// Build exactly these packages.
        prepared: bool,
    },
    /// How is this build going?
    LookUp(&'a str),
}

/// Somebody who asks a server, and tells the user how it goes.
#[derive(Debug)]
pub(crate) struct Asker {
    /// The server.
    pub(crate) api: Api,
    /// What the user sees.
    pub(crate) progress: Progress,
    /// How long this may go on.
    pub(crate) patience: Patience,
}

impl Asker {
    /// Asks until there is an answer that is not "later". A server that is busy is asked again until our patience ends,
    /// one that is away only for as long as `tolerance`.
    pub(crate) async fn ask(&mut self, question: Question<'_>, tolerance: Duration) -> Result<Answer, ClientError> {
        let begun = Instant::now();
        let mut last = "waiting for the server's answer".to_owned();
        loop {
            let outcome = self.patience.wait_for(self.once(question), &last).await;
            let tolerant = begun.elapsed() < tolerance;
            let Some((trouble, asked_for)) = passing_trouble(&outcome, tolerant) else { return outcome };
            self.progress.trouble(&trouble);
            last = trouble;
            self.patience.pause(asked_for, &last).await?;
        }
    }

    async fn once(&self, question: Question<'_>) -> Result<Answer, ClientError> {
        match question {
            Question::Prepare(request) => self.api.prepare(request).await,
            Question::Submit { request, prepared } => self.api.submit(request, prepared).await,
            Question::LookUp(request_hash) => self.api.look_up(request_hash).await,
        }
    }
}

/// What is wrong, and how long the server asks us to wait, if asking again is the answer to it.
fn passing_trouble(outcome: &Result<Answer, ClientError>, tolerant: bool) -> Option<(String, Option<Duration>)> {
    match outcome {
        Ok(answer) if answer.is_busy() || tolerant && answer.is_passing() => {
            Some((answer.detail(), answer.retry_after))
        }
        Err(error @ ClientError::Unreachable { .. }) if tolerant => Some((error.to_string(), None)),
        Ok(_) | Err(_) => None,
    }
}
