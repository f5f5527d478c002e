//! What all followers of one build see of it.

use std::{collections::VecDeque, sync::Arc};

use asu_core::{BuildOutcome, Stage};
use asu_queue::{AttemptId, FinishedBuild, LogContent, LogEntry, LogView};

use crate::log::{plain::kept_log, printable::printable};

/// Stands for the attempt of a log that is not live any more, but what the result holds.
pub(super) const KEPT: u64 = 0;

/// The most text of one event.
const LARGEST_PART: usize = 8 * 1024;

/// The state of a build and the end of its log, cleaned once for all who read it.
#[derive(Debug, Default)]
pub(super) struct Scene {
    /// Nothing before the first look.
    pub(super) state: Option<State>,
    /// The attempt whose log this is.
    pub(super) attempt: Option<u64>,
    pub(super) entries: VecDeque<LogEntry>,
}

/// Where a build is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum State {
    Queued {
        position: u64,
    },
    /// The stage is that of the record, for a log that does not tell it.
    Started {
        stage: Option<Stage>,
    },
    Ended(Arc<Ending>),
    /// Nobody knows it any more.
    Gone,
}

/// How a build ended, as its answer says it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ending {
    pub(super) attempt: AttemptId,
    pub(super) status: u16,
    pub(super) detail: String,
    pub(super) error: Option<&'static str>,
}

impl Scene {
    /// Adds what came since the last look; what is older than `most` bytes goes.
    pub(super) fn add(&mut self, view: LogView, most: u64) {
        if let Some(attempt) = view.attempt
            && self.attempt != Some(attempt)
        {
            self.attempt = Some(attempt);
            self.entries.clear();
        }
        self.entries.extend(view.entries.into_iter().map(clean));
        let Some(end) = self.end() else { return };
        while self.entries.front().is_some_and(|entry| entry.start + most < end) {
            self.entries.pop_front();
        }
    }

    /// Nothing comes after this.
    pub(super) fn end_with(&mut self, build: &FinishedBuild) {
        if self.attempt.is_none() {
            self.attempt = Some(KEPT);
            self.entries = parts(&kept_log(build)).collect();
        }
        let (status, detail, error) = match &build.outcome {
            BuildOutcome::Done(_) => (200, "done".to_owned(), None),
            BuildOutcome::Failed(failed) => (500, failed.failure.to_string(), Some(failed.failure.kind())),
        };
        self.state = Some(State::Ended(Arc::new(Ending { attempt: build.attempt.clone(), status, detail, error })));
    }

    /// The attempt and the end of what is here.
    pub(super) fn known(&self) -> Option<(u64, u64)> {
        Some((self.attempt?, self.end()?))
    }

    /// True once nothing can change any more.
    pub(super) fn is_over(&self) -> bool {
        matches!(self.state, Some(State::Ended(_) | State::Gone))
    }

    fn end(&self) -> Option<u64> {
        self.entries.back().map(|entry| entry.end)
    }
}

fn clean(entry: LogEntry) -> LogEntry {
    let content = match entry.content {
        LogContent::Text(text) => LogContent::Text(printable(&text)),
        stage @ LogContent::Stage(_) => stage,
    };
    LogEntry { content, ..entry }
}

/// By whole lines, as far as these are short.
fn parts(text: &str) -> impl Iterator<Item = LogEntry> {
    let (mut rest, mut start) = (text, 0);
    std::iter::from_fn(move || {
        let head = &rest[..rest.floor_char_boundary(LARGEST_PART)];
        let size = if head.len() == rest.len() { head.len() } else { head.rfind('\n').map_or(head.len(), |at| at + 1) };
        let (part, others) = rest.split_at(size);
        rest = others;
        let end = start + size as u64;
        let entry = LogEntry { start, end, content: LogContent::Text(part.to_owned()) };
        start = end;
        (size > 0).then_some(entry)
    })
}

#[cfg(test)]
mod tests {
    use asu_queue::LogState;

    use super::*;

    fn view(attempt: u64, texts: &[&str], from: u64) -> LogView {
        let mut start = from;
        let entries = texts.iter().map(|text| {
            let end = start + text.len() as u64;
            let entry = LogEntry { start, end, content: LogContent::Text((*text).to_owned()) };
            start = end;
            entry
        });
        let entries = entries.collect();
        LogView { state: LogState::Queued { position: 0 }, attempt: Some(attempt), entries, more: false }
    }

    #[test]
    fn what_is_kept_is_bounded_and_of_one_attempt() {
        let mut scene = Scene::default();
        scene.add(view(1, &["0123", "4567", "89"], 0), 6);
        assert_eq!((scene.entries.len(), scene.known()), (2, Some((1, 10))));
        scene.add(view(1, &["ab"], 10), 6);
        assert_eq!((scene.entries[0].start, scene.known()), (8, Some((1, 12))));
        scene.add(view(2, &["x"], 0), 6);
        assert_eq!((scene.entries.len(), scene.known()), (1, Some((2, 1))));
    }

    #[test]
    fn a_long_text_is_cut_between_lines() {
        let line = format!("{}\n", "x".repeat(3000));
        let text = format!("{}{}end", line.repeat(5), "y".repeat(LARGEST_PART + 1));
        let parts: Vec<_> = parts(&text).collect();
        let texts = parts.iter().map(|part| match &part.content {
            LogContent::Text(text) => text.as_str(),
            LogContent::Stage(stage) => stage.as_str(),
        });
        let texts: Vec<_> = texts.collect();
        assert_eq!(texts.concat(), text);
        assert_eq!(texts[0].len(), 2 * line.len());
        assert!(texts.iter().all(|text| text.len() <= LARGEST_PART));
        assert!(parts.windows(2).all(|pair| pair[0].end == pair[1].start));
    }
}
