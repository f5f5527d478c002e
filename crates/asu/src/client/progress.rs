//! Where a build stands, for people: a bar on a terminal, a line per change elsewhere.

use std::{fmt, time::Duration};

use asu_core::Stage;
use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::{
    client::answer::Answer,
    output::{Output, harmless},
};

const REFRESH: Duration = Duration::from_millis(120);
/// Being queued comes before all stages.
const STEPS: u64 = Stage::ALL.len() as u64 + 1;
const STYLE: &str = "{spinner} [{bar:21}] {wide_msg} {elapsed}";

/// What is known of a build that is not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BuildState {
    /// In the queue.
    Queued {
        /// Builds before it, if the server tells.
        position: Option<u64>,
        /// In how many seconds a worker is likely to take it, if the server knows.
        eta_seconds: Option<u64>,
    },
    /// A worker has it.
    Started(String),
}

impl BuildState {
    /// Reads a 202.
    pub(crate) fn of(answer: &Answer) -> Self {
        match answer.text_of("imagebuilder_status") {
            stage if stage.is_empty() || answer.body.contains_key("queue_position") => {
                Self::Queued { position: answer.get("queue_position"), eta_seconds: answer.get("eta_seconds") }
            }
            stage => Self::Started(stage),
        }
    }

    fn steps_done(&self) -> u64 {
        match self {
            Self::Queued { .. } => 0,
            Self::Started(name) => {
                let stage = Stage::from_name(name).unwrap_or(Stage::Init);
                1 + Stage::ALL.into_iter().position(|other| other == stage).unwrap_or(0) as u64
            }
        }
    }
}

impl fmt::Display for BuildState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Queued { position, eta_seconds } => {
                match position {
                    None => f.write_str("queued")?,
                    Some(0) => f.write_str("queued, position 0: next in line")?,
                    Some(1) => f.write_str("queued, position 1: one build before this")?,
                    Some(position) => write!(f, "queued, position {position}: {position} builds before this")?,
                }
                match eta_seconds {
                    // Not by the second, which would be a line for each question in a log.
                    Some(0..60) => f.write_str(", starts within a minute"),
                    Some(seconds) => write!(f, ", starts in about {}", HumanDuration(Duration::from_secs(*seconds))),
                    None => Ok(()),
                }
            }
            Self::Started(name) => match Stage::from_name(name) {
                Some(stage) => write!(f, "{stage}: {}", in_words(stage)),
                None => f.write_str(&harmless(name)),
            },
        }
    }
}

fn in_words(stage: Stage) -> &'static str {
    match stage {
        Stage::Init => "a worker took the build",
        Stage::ContainerSetup => "starting the ImageBuilder",
        Stage::ValidateRevision => "checking its revision",
        Stage::ValidateManifest => "resolving the packages",
        Stage::BuildingImage => "making the images",
        Stage::SigningImages => "signing the images",
    }
}

/// Shows how a build is going.
#[derive(Debug)]
pub(crate) enum Progress {
    /// On a terminal.
    Bar(ProgressBar),
    /// In a log: each line once.
    Lines {
        /// Where the lines go.
        output: Output,
        /// What was said last.
        last: String,
    },
}

impl Progress {
    /// The kind that fits the output. A bar shows itself with the first state.
    pub(crate) fn new(output: Output) -> Self {
        if !output.shows_bars() {
            return Self::Lines { output, last: String::new() };
        }
        let style = ProgressStyle::with_template(STYLE).expect("the template is a constant, a test reads it");
        let bar = ProgressBar::with_draw_target(Some(STEPS), ProgressDrawTarget::stderr());
        Self::Bar(bar.with_style(style.progress_chars("=> ")))
    }

    /// The build has come this far.
    pub(crate) fn show(&mut self, state: &BuildState) {
        if let Self::Bar(bar) = self {
            if bar.is_finished() {
                bar.reset();
            }
            bar.enable_steady_tick(REFRESH);
            bar.set_position(state.steps_done());
        }
        self.tell(&state.to_string());
    }

    /// It cannot be said how far the build has come.
    pub(crate) fn trouble(&mut self, words: &str) {
        self.tell(&format!("{}, trying again", harmless(words)));
    }

    /// Takes the bar away until there is something to show again.
    pub(crate) fn clear(&self) {
        match self {
            Self::Bar(bar) => bar.finish_and_clear(),
            Self::Lines { .. } => {}
        }
    }

    fn tell(&mut self, words: &str) {
        match self {
            Self::Bar(bar) => bar.set_message(words.to_owned()),
            Self::Lines { output, last } if last != words => {
                output.note(words);
                words.clone_into(last);
            }
            Self::Lines { .. } => {}
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &str, words: &str, steps: u64) {
        let state = BuildState::of(&Answer::new(202, None, body));
        assert_eq!((state.to_string().as_str(), state.steps_done()), (words, steps), "{body}");
    }

    #[test]
    fn states_are_told_in_words() {
        check(r#"{"detail":"queued","queue_position":0}"#, "queued, position 0: next in line", 0);
        check(
            r#"{"queue_position":3,"eta_seconds":120,"imagebuilder_status":"init"}"#,
            "queued, position 3: 3 builds before this, starts in about 2 minutes",
            0,
        );
        check(
            r#"{"queue_position":0,"eta_seconds":59}"#,
            "queued, position 0: next in line, starts within a minute",
            0,
        );
        check(r#"{"imagebuilder_status":"validate_manifest"}"#, "validate_manifest: resolving the packages", 4);
        check(r#"{"imagebuilder_status":"signing_images"}"#, "signing_images: signing the images", 6);
        check(r#"{"imagebuilder_status":"unpack\u001b[2J"}"#, "unpack\u{fffd}[2J", 1);
        check("{}", "queued", 0);
    }

    #[test]
    fn the_bar_can_be_drawn() {
        assert!(ProgressStyle::with_template(STYLE).is_ok());
    }
}
