//! The log of a build as one text.

use asu_core::{BuildLog, BuildOutcome, RequestHash};
use asu_queue::{FinishedBuild, LogContent, LogEntry, LogState, Queue};

use crate::{error::BuildError, log::printable::printable};

/// What the build has printed by now: nothing while it waits, and what its result holds once the live log is gone.
pub(super) async fn read(queue: &Queue, request_hash: &RequestHash) -> Result<String, BuildError> {
    let (mut text, mut known) = (String::new(), None);
    loop {
        let view = queue.log(request_hash, known).await?.ok_or(BuildError::UnknownBuild)?;
        let Some(attempt) = view.attempt else {
            return match view.state {
                LogState::Queued { .. } | LogState::Started { .. } => Ok(String::new()),
                LogState::Finished(_) => {
                    let build = queue.outcome(request_hash).await?;
                    Ok(build.as_ref().map(kept_log).unwrap_or_default())
                }
            };
        };
        let mut end = match known {
            Some((known, end)) if known == attempt => end,
            Some(_) | None => {
                text.clear();
                0
            }
        };
        for entry in &view.entries {
            append(&mut text, end, entry);
            end = entry.end;
        }
        if !view.more {
            return Ok(text);
        }
        known = Some((attempt, end));
    }
}

fn append(text: &mut String, end: u64, entry: &LogEntry) {
    if entry.start > end {
        end_line(text);
        text.push_str(&missing(entry.start - end));
        text.push('\n');
    }
    match &entry.content {
        LogContent::Stage(stage) => {
            end_line(text);
            text.push_str(&format!("== {stage}\n"));
        }
        LogContent::Text(more) => text.push_str(&printable(more)),
    }
}

/// What stands where something is missing.
pub(super) fn missing(bytes: u64) -> String {
    format!("[{bytes} bytes are missing here]")
}

/// What the result of a build holds of its log: that of the last command, and why it failed.
pub(super) fn kept_log(build: &FinishedBuild) -> String {
    let (BuildLog { stdout, stderr }, failure) = match &build.outcome {
        BuildOutcome::Done(result) => (&result.log, None),
        BuildOutcome::Failed(failed) => (&failed.log, Some(failed.failure.to_string())),
    };
    let mut text = String::new();
    for part in [stdout, stderr, &failure.unwrap_or_default()] {
        text.push_str(&printable(part));
        end_line(&mut text);
    }
    text
}

fn end_line(text: &mut String) {
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use asu_core::Stage;

    use super::*;

    #[test]
    fn stages_stand_on_lines_of_their_own_and_gaps_show() {
        let entry = |start, end, content| LogEntry { start, end, content };
        let line = |text: &str| LogContent::Text(text.to_owned());
        let mut text = String::new();
        append(&mut text, 0, &entry(0, 4, LogContent::Stage(Stage::Init)));
        append(&mut text, 4, &entry(4, 7, line("a\rb")));
        append(&mut text, 7, &entry(7, 21, LogContent::Stage(Stage::BuildingImage)));
        append(&mut text, 21, &entry(30, 32, line("c\n")));
        assert_eq!(text, "== init\na\nb\n== building_image\n[9 bytes are missing here]\nc\n");
    }
}
