//! One event as it stands in a stream: <https://html.spec.whatwg.org/multipage/server-sent-events.html>.

use asu_core::Stage;
use bytes::Bytes;
use serde_json::{Value, json};

use crate::{
    error::BuildError,
    log::{cursor::Told, last_seen::LastSeen, scene::Ending},
};

/// Shows that a stream lives.
pub(super) const HEARTBEAT: Bytes = Bytes::from_static(b": the build is followed\n\n");

/// What a client receives when it is told this.
pub(super) fn render(told: &Told) -> Bytes {
    match told {
        Told::Queued { position } => event("queued", None, &json!({"queue_position": position})),
        Told::Stage { stage, id } => stage_event(*stage, id.as_ref()),
        Told::Log { text, id } => log_event(text, id),
        Told::Restarted { id } => {
            event("restarted", Some(id), &json!({"detail": "the build begins anew, its output follows"}))
        }
        Told::Ended(ending) => end_event(ending),
        Told::Gone => event("gone", None, &json!({"status": 404, "detail": BuildError::UnknownBuild.to_string()})),
    }
}

fn stage_event(stage: Stage, id: Option<&LastSeen>) -> Bytes {
    event("stage", id, &json!({"imagebuilder_status": stage}))
}

fn end_event(ending: &Ending) -> Bytes {
    let Ending { attempt, status, detail, error } = ending;
    let id = LastSeen::end_of(attempt);
    match error {
        None => event("done", Some(&id), &json!({"status": status, "detail": detail})),
        Some(error) => event("failed", Some(&id), &json!({"status": status, "detail": detail, "error": error})),
    }
}

/// The text is made of lines that end with newlines, and of no other control characters that end one.
fn log_event(text: &str, id: &LastSeen) -> Bytes {
    let lines = text.strip_suffix('\n').unwrap_or(text).split('\n');
    let data: String = lines.map(|line| format!("data: {line}\n")).collect();
    format!("event: log\nid: {id}\n{data}\n").into()
}

/// JSON has no newlines of its own.
fn event(name: &str, id: Option<&LastSeen>, data: &Value) -> Bytes {
    let id = id.map(|id| format!("id: {id}\n")).unwrap_or_default();
    format!("event: {name}\n{id}data: {data}\n\n").into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::printable::printable;

    #[test]
    fn lines_stay_lines_and_no_text_can_leave_its_event() {
        for (text, expected) in [
            ("one\ntwo\n", "data: one\ndata: two\n"),
            ("one\n\n  two", "data: one\ndata: \ndata:   two\n"),
            ("\n", "data: \n"),
            ("x\r\n\r\nevent: done\r\r\n", "data: x\ndata: \ndata: event: done\ndata: \n"),
            (": comment\0", "data: : comment\n"),
        ] {
            let id = LastSeen::Part { attempt: 1, end: 2 };
            let event = render(&Told::Log { text: printable(text), id });
            assert_eq!(event, format!("event: log\nid: 1-2\n{expected}\n"), "{text:?}");
        }
        let queued = render(&Told::Queued { position: 3 });
        assert_eq!(queued, "event: queued\ndata: {\"queue_position\":3}\n\n");
    }
}
