//! Follows a build from the request to its end.

use std::time::Duration;

use serde_json::Value;

use crate::client::{
    answer::Answer,
    ask::{Asker, Question},
    error::ClientError,
    progress::BuildState,
    report::Report,
};

/// How long a server may be away while we wait for its build: as long as a restart or a short outage takes.
const LONGEST_ABSENCE: Duration = Duration::from_secs(120);
/// The server did not answer the very first question: nothing speaks for asking again.
const NO_TOLERANCE: Duration = Duration::ZERO;

impl Asker {
    /// Has a request built and waits until it is done; the answer is that of the finished build.
    ///
    /// # Errors
    /// The build failed, the server refused it, or our patience ended.
    pub(crate) async fn build(
        &mut self,
        request: &Value,
        prepared: bool,
        report: &mut Report,
    ) -> Result<Answer, ClientError> {
        let submit = Question::Submit { request, prepared };
        let mut answer = self.ask(submit, NO_TOLERANCE).await?;
        let mut posted_again = false;
        while let Some(request_hash) = self.unfinished(&answer, report)? {
            self.patience.pause(None, &BuildState::of(&answer).to_string()).await?;
            answer = self.ask(Question::LookUp(&request_hash), LONGEST_ABSENCE).await?;
            // A server that lost its memory gets the request once more; twice would be a loop.
            if answer.status == 404 && !posted_again {
                posted_again = true;
                self.progress.trouble("the server does not know the build any more, asking for it again");
                answer = self.ask(submit, LONGEST_ABSENCE).await?;
            }
        }
        self.progress.clear();
        Ok(answer)
    }

    /// The hash of a build that is not done yet, nothing if it is done.
    fn unfinished(&mut self, answer: &Answer, report: &mut Report) -> Result<Option<String>, ClientError> {
        report.note_answer(answer);
        match answer.status {
            200 => Ok(None),
            202 => {
                self.progress.show(&BuildState::of(answer));
                let hash = answer.request_hash().or_else(|| report.request_hash.clone());
                hash.map(Some).ok_or_else(|| self.api.garbled("a queued build without its request_hash"))
            }
            _ => Err(ClientError::Refused(Box::new(answer.clone()))),
        }
    }
}
