//! How far one follower is, and what it is told next.

use std::sync::Arc;

use asu_core::Stage;
use asu_queue::{LogContent, LogEntry};

use crate::log::{
    last_seen::LastSeen,
    plain::missing,
    scene::{Ending, KEPT, Scene, State},
};

/// What a follower has been told. It holds no text: a slow reader costs no more than a quick one.
#[derive(Debug, Default)]
pub(super) struct Cursor {
    /// The attempt and the end of what was told of its log.
    seen: Option<(u64, u64)>,
    position: Option<u64>,
    stage: Option<Stage>,
    over: bool,
}

/// One event.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Told {
    Queued { position: u64 },
    Stage { stage: Stage, id: Option<LastSeen> },
    Log { text: String, id: LastSeen },
    Restarted { id: LastSeen },
    Ended(Arc<Ending>),
    Gone,
}

impl Cursor {
    /// Of a follower who has seen that much before.
    pub(super) fn after(attempt: u64, end: u64) -> Self {
        Self { seen: Some((attempt, end)), ..Self::default() }
    }

    /// What is to be told next; nothing for now, or for ever after [`Told::Ended`] and [`Told::Gone`].
    pub(super) fn next(&mut self, scene: &Scene) -> Option<Told> {
        if self.over {
            return None;
        }
        self.next_of_log(scene).or_else(|| self.next_of_state(scene.state.as_ref()?))
    }

    fn next_of_log(&mut self, scene: &Scene) -> Option<Told> {
        let attempt = scene.attempt?;
        let mut end = match self.seen {
            Some((seen, end)) if seen == attempt => end,
            // The rest of a log that was followed live is not to be had any more.
            Some(_) if attempt == KEPT => return None,
            Some(_) => {
                *self = Self::after(attempt, 0);
                return Some(Told::Restarted { id: LastSeen::Part { attempt, end: 0 } });
            }
            None => 0,
        };
        let first = scene.entries.partition_point(|entry| entry.end <= end);
        self.stage = self.stage.or_else(|| last_stage(scene.entries.range(..first)));
        for entry in scene.entries.range(first..) {
            let part = |end| LastSeen::Part { attempt, end };
            if entry.start > end {
                self.seen = Some((attempt, entry.start));
                return Some(Told::Log { text: missing(entry.start - end), id: part(entry.start) });
            }
            end = entry.end;
            self.seen = Some((attempt, end));
            match &entry.content {
                LogContent::Stage(stage) if self.stage != Some(*stage) => {
                    self.stage = Some(*stage);
                    return Some(Told::Stage { stage: *stage, id: Some(part(end)) });
                }
                LogContent::Text(text) if !text.is_empty() => {
                    return Some(Told::Log { text: text.clone(), id: part(end) });
                }
                LogContent::Stage(_) | LogContent::Text(_) => {}
            }
        }
        None
    }

    fn next_of_state(&mut self, state: &State) -> Option<Told> {
        match state {
            State::Queued { position } => {
                self.stage = None;
                let is_news = self.position.replace(*position) != Some(*position);
                is_news.then_some(Told::Queued { position: *position })
            }
            State::Started { stage } => {
                self.position = None;
                let stage = stage.filter(|stage| self.stage != Some(*stage))?;
                self.stage = Some(stage);
                Some(Told::Stage { stage, id: None })
            }
            State::Ended(ending) => {
                self.over = true;
                Some(Told::Ended(Arc::clone(ending)))
            }
            State::Gone => {
                self.over = true;
                Some(Told::Gone)
            }
        }
    }
}

fn last_stage<'a>(entries: impl DoubleEndedIterator<Item = &'a LogEntry>) -> Option<Stage> {
    entries.rev().find_map(|entry| match entry.content {
        LogContent::Stage(stage) => Some(stage),
        LogContent::Text(_) => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ATTEMPT: u64 = 7;

    fn scene(state: State, contents: &[LogContent]) -> Scene {
        let mut scene = Scene { state: Some(state), attempt: Some(ATTEMPT), ..Scene::default() };
        let mut start = 0;
        for content in contents {
            let end = start + 10;
            scene.entries.push_back(LogEntry { start, end, content: content.clone() });
            start = end;
        }
        scene
    }

    fn text(text: &str) -> LogContent {
        LogContent::Text(text.to_owned())
    }

    fn told(cursor: &mut Cursor, scene: &Scene) -> Vec<String> {
        std::iter::from_fn(|| cursor.next(scene))
            .map(|told| match told {
                Told::Queued { position } => format!("queued {position}"),
                Told::Stage { stage, id } => format!("{stage} {}", id.map(|id| id.to_string()).unwrap_or_default()),
                Told::Log { text, id } => format!("{text} {id}"),
                Told::Restarted { id } => format!("restarted {id}"),
                Told::Ended(ending) => format!("ended {}", ending.status),
                Told::Gone => "gone".to_owned(),
            })
            .collect()
    }

    #[test]
    fn a_follower_is_told_everything_once_and_in_order() {
        let mut cursor = Cursor::default();
        let waiting = Scene { state: Some(State::Queued { position: 2 }), ..Scene::default() };
        assert_eq!(told(&mut cursor, &waiting), ["queued 2"]);
        assert_eq!(told(&mut cursor, &waiting), [""; 0]);
        let started = State::Started { stage: Some(Stage::BuildingImage) };
        let contents = [LogContent::Stage(Stage::Init), text("a"), text(""), LogContent::Stage(Stage::BuildingImage)];
        let mut scene = scene(started, &contents);
        assert_eq!(told(&mut cursor, &scene), ["init 7-10", "a 7-20", "building_image 7-40"]);
        scene.state = Some(State::Gone);
        assert_eq!(told(&mut cursor, &scene), ["gone"]);
        assert_eq!(told(&mut cursor, &scene), [""; 0]);
    }

    #[test]
    fn who_comes_back_hears_nothing_twice_not_even_the_stage() {
        let started = State::Started { stage: Some(Stage::Init) };
        let scene = scene(started, &[LogContent::Stage(Stage::Init), text("a"), text("b")]);
        assert_eq!(told(&mut Cursor::after(ATTEMPT, 20), &scene), ["b 7-30"]);
        assert_eq!(told(&mut Cursor::after(ATTEMPT, u64::MAX), &scene), [""; 0]);
    }

    #[test]
    fn another_attempt_is_announced_and_told_from_its_beginning() {
        let scene = scene(State::Started { stage: None }, &[LogContent::Stage(Stage::Init), text("a")]);
        let mut cursor = Cursor::after(ATTEMPT - 1, 20);
        assert_eq!(told(&mut cursor, &scene), ["restarted 7-0", "init 7-10", "a 7-20"]);
    }

    #[test]
    fn what_is_missing_shows() {
        let mut scene = scene(State::Started { stage: None }, &[text("a"), text("b"), text("c")]);
        scene.entries.remove(1);
        let mut cursor = Cursor::default();
        assert_eq!(told(&mut cursor, &scene), ["a 7-10", "[10 bytes are missing here] 7-20", "c 7-30"]);
    }

    #[test]
    fn a_stage_that_the_log_does_not_tell_is_told_from_the_record() {
        let scene = scene(State::Started { stage: Some(Stage::BuildingImage) }, &[text("a")]);
        assert_eq!(told(&mut Cursor::default(), &scene), ["a 7-10", "building_image "]);
    }

    #[test]
    fn what_the_result_holds_is_no_other_attempt() {
        let mut scene = scene(State::Gone, &[text("a")]);
        scene.attempt = Some(KEPT);
        assert_eq!(told(&mut Cursor::after(ATTEMPT, 5), &scene), ["gone"]);
        assert_eq!(told(&mut Cursor::default(), &scene), ["a 0-10", "gone"]);
    }
}
