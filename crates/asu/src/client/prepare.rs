//! `asu prepare`: shows what would become of a request.

use std::time::Duration;

use crate::{
    client::{
        answer::Answer,
        api::Api,
        ask::{Asker, Question},
        error::ClientError,
        options::PrepareOptions,
        patience::Patience,
        prepared::Prepared,
        progress::Progress,
    },
    output::Output,
};

/// Busy servers are asked again after this, unless they ask for more.
const PAUSE: Duration = Duration::from_secs(1);

/// Asks and prints.
pub(crate) async fn prepare(options: &PrepareOptions, output: Output) -> Result<(), ClientError> {
    let request = options.request.request()?;
    let mut asker = Asker {
        api: Api::new(options.connection.server.clone())?,
        progress: Progress::new(output),
        patience: Patience::new(options.timeout, PAUSE),
    };
    let answer = asker.ask(Question::Prepare(&request), Duration::ZERO).await?;
    if options.connection.json {
        output.document(&answer.document());
    }
    let prepared = asker.prepared(answer)?;
    prepared.print(&output);
    Ok(())
}

impl Asker {
    /// Reads the answer to [`Question::Prepare`].
    pub(crate) fn prepared(&self, answer: Answer) -> Result<Prepared, ClientError> {
        self.progress.clear();
        match answer.status {
            200 => Prepared::of(&answer).ok_or_else(|| self.api.garbled("no prepared_request in it")),
            404 | 405 => Err(ClientError::NoPrepare),
            _ => Err(ClientError::Refused(Box::new(answer))),
        }
    }
}
