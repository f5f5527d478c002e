//! What a reader of a stream has seen last: the id of an event, which it sends when it comes back.

use std::fmt;

use asu_queue::AttemptId;

/// So many digits of a token tell one end from another.
const DIGITS: usize = 12;

/// The id of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LastSeen {
    /// A part of a log: `1732545678901-4096`.
    Part {
        /// The attempt.
        attempt: u64,
        /// Bytes of its log.
        end: u64,
    },
    /// The end of a build: `end-0123456789ab`.
    End(SeenEnd),
}

/// The end of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SeenEnd(String);

impl LastSeen {
    /// The id of a last event.
    pub(crate) fn end_of(attempt: &AttemptId) -> Self {
        Self::End(SeenEnd(digits(attempt).to_owned()))
    }

    /// Reads an id; whatever is none of ours is as if nothing had been seen.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (attempt, end) = text.split_once('-')?;
        if attempt == "end" {
            return (end.len() == DIGITS).then(|| Self::End(SeenEnd(end.to_owned())));
        }
        Some(Self::Part { attempt: attempt.parse().ok()?, end: end.parse().ok()? })
    }
}

impl SeenEnd {
    /// True if this attempt ended so.
    pub(crate) fn is_of(&self, attempt: &AttemptId) -> bool {
        self.0 == digits(attempt)
    }
}

fn digits(attempt: &AttemptId) -> &str {
    attempt.as_str().get(..DIGITS).unwrap_or(attempt.as_str())
}

impl fmt::Display for LastSeen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Part { attempt, end } => write!(f, "{attempt}-{end}"),
            Self::End(SeenEnd(digits)) => write!(f, "end-{digits}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_comes_back_as_it_was_and_others_are_none() {
        for id in ["1732545678901-4096", "0-0", "end-0123456789ab"] {
            assert_eq!(LastSeen::parse(id).unwrap().to_string(), id);
        }
        for id in ["", "-", "7", "-1-2", "1-", "1-2-3", "99999999999999999999999-1", "end-", "end-\u{e4}", "x-1"] {
            assert_eq!(LastSeen::parse(id), None, "{id}");
        }
    }
}
