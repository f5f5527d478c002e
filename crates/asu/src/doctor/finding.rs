//! What was seen of one thing that the server needs.

use serde::Serialize;

use crate::output::{Output, Style, harmless};

/// How much what was seen matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Level {
    /// As it should be.
    Ok,
    /// The server works, but somebody should look at this.
    Warning,
    /// The server does not work.
    Fail,
}

/// One line of the report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    check: &'static str,
    level: Level,
    seen: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
}

impl Finding {
    /// All is well.
    pub(crate) fn ok(check: &'static str, seen: impl Into<String>) -> Self {
        Self { check, level: Level::Ok, seen: seen.into(), remedy: None }
    }

    /// Somebody should look at this.
    pub(crate) fn warning(check: &'static str, seen: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { check, level: Level::Warning, seen: seen.into(), remedy: Some(remedy.into()) }
    }

    /// The server does not work like this.
    pub(crate) fn fail(check: &'static str, seen: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { check, level: Level::Fail, seen: seen.into(), remedy: Some(remedy.into()) }
    }

    /// How much it matters.
    pub(crate) fn level(&self) -> Level {
        self.level
    }

    /// For people.
    pub(crate) fn print(&self, output: &Output) {
        let label = match self.level {
            Level::Ok => "ok     ".to_owned(),
            Level::Warning => output.paint(Style::Odd, "warning"),
            Level::Fail => output.paint(Style::Bad, "FAIL   "),
        };
        output.say(&format!("{label}  {:<10} {}", self.check, harmless(&self.seen)));
        if let Some(remedy) = &self.remedy {
            output.say(&format!("{:>19} → {}", "", harmless(remedy)));
        }
    }
}
