//! A stream of events, read as a browser reads it.

use std::time::Duration;

use reqwest::{Response, header::HeaderMap};
use serde_json::Value;
use tokio::time::timeout;

/// The longest that an event may be waited for on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// One event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Event {
    /// Its kind; `:` for a comment.
    pub name: String,
    /// Where a reader is after it.
    pub id: String,
    /// What it says, its lines joined.
    pub data: String,
}

impl Event {
    /// What it says, as JSON.
    ///
    /// # Panics
    /// It says something else.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.data).unwrap_or_else(|error| panic!("{self:?}: {error}"))
    }
}

/// An answer that goes on.
pub struct Events {
    response: Response,
    received: String,
}

impl Events {
    /// Reads the events of an answer.
    ///
    /// # Panics
    /// It is another answer.
    pub fn of(response: Response) -> Self {
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, received: String::new() }
    }

    /// The headers of the answer.
    pub fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    /// The next event; `None` once the server has ended the answer in order.
    ///
    /// # Panics
    /// There is none for too long, or the connection breaks.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some((event, rest)) = self.received.split_once("\n\n") {
                let (event, rest) = (parse(event), rest.to_owned());
                self.received = rest;
                return Some(event);
            }
            let chunk = timeout(PATIENCE, self.response.chunk()).await.expect("an event comes in time").unwrap();
            let Some(chunk) = chunk else {
                assert_eq!(self.received, "", "the stream ends within an event");
                return None;
            };
            self.received.push_str(std::str::from_utf8(&chunk).expect("an event is sent as a whole"));
        }
    }

    /// Everything up to an event of this kind.
    ///
    /// # Panics
    /// The stream ends without.
    pub async fn until(&mut self, name: &str) -> Vec<Event> {
        let mut events = Vec::new();
        while events.last().is_none_or(|event: &Event| event.name != name) {
            match self.next().await {
                Some(event) => events.push(event),
                None => panic!("no {name} in {events:#?}"),
            }
        }
        events
    }
}

fn parse(text: &str) -> Event {
    let mut event = Event::default();
    let mut data = Vec::new();
    for line in text.split('\n') {
        let (field, value) = line.split_once(':').unwrap_or_else(|| panic!("no field: {line:?}"));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "" => ":".clone_into(&mut event.name),
            "event" => value.clone_into(&mut event.name),
            "id" => value.clone_into(&mut event.id),
            "data" => data.push(value),
            _ => panic!("unknown field {line:?}"),
        }
    }
    event.data = data.join("\n");
    event
}
