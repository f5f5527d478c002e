//! Everything that this program writes to its terminal or to a pipe.

use std::{
    env,
    io::{self, IsTerminal, Write},
};

/// Where text goes: results to stdout, all else to stderr.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    /// Stdout belongs to one JSON document.
    json: bool,
    quiet: bool,
    colour: bool,
    terminal: bool,
}

/// How a piece of text looks where colours are shown.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Style {
    /// Names of things.
    Bold,
    /// What is less important.
    Faint,
    /// What needs a look.
    Odd,
    /// What went wrong.
    Bad,
}

impl Output {
    /// With `json`, people's text keeps away from stdout; with `quiet`, only results and errors are written.
    pub(crate) fn new(json: bool, quiet: bool) -> Self {
        let terminal = io::stderr().is_terminal();
        let stream = if json { terminal } else { terminal && io::stdout().is_terminal() };
        Self { json, quiet, colour: stream && wants_colour(), terminal }
    }

    /// True if a person may be asked and watches progress.
    pub(crate) fn is_interactive(&self) -> bool {
        self.terminal && io::stdin().is_terminal()
    }

    /// True if bars can be drawn.
    pub(crate) fn shows_bars(&self) -> bool {
        self.terminal && !self.quiet
    }

    /// A result that somebody asked for: stdout, however quiet we are. Not written when stdout is for JSON.
    pub(crate) fn result(&self, line: &str) {
        if !self.json {
            write_line(&mut io::stdout().lock(), line);
        }
    }

    /// Text for people beside the result.
    pub(crate) fn say(&self, line: &str) {
        if self.quiet {
            return;
        }
        if self.json { write_line(&mut io::stderr().lock(), line) } else { write_line(&mut io::stdout().lock(), line) }
    }

    /// How it goes.
    pub(crate) fn note(&self, line: &str) {
        if !self.quiet {
            write_line(&mut io::stderr().lock(), line);
        }
    }

    /// What went wrong.
    pub(crate) fn error(&self, line: &str) {
        write_line(&mut io::stderr().lock(), line);
    }

    /// The one JSON document.
    pub(crate) fn document(&self, json: &str) {
        write_line(&mut io::stdout().lock(), &harmless_json(json));
    }

    /// Asks a question and leaves the cursor behind it.
    pub(crate) fn ask(&self, question: &str) {
        let mut stderr = io::stderr().lock();
        // A terminal that is gone cannot be told about it.
        let _ = write!(stderr, "{question} ").and_then(|()| stderr.flush());
    }

    /// The text in a style, where styles are shown.
    pub(crate) fn paint(&self, style: Style, text: &str) -> String {
        if !self.colour {
            return text.to_owned();
        }
        let code = match style {
            Style::Bold => 1,
            Style::Faint => 2,
            Style::Odd => 33,
            Style::Bad => 31,
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }
}

/// A reader that has gone away, as `head` does, is no reason to fail.
fn write_line(stream: &mut impl Write, line: &str) {
    let _ = writeln!(stream, "{line}").and_then(|()| stream.flush());
}

/// <https://no-color.org>
#[expect(clippy::disallowed_methods, reason = "these are conventions of terminals, not settings of ours")]
fn wants_colour() -> bool {
    let set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
    !set("NO_COLOR") && env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// Characters that could steer a terminal; lines and tabs do not.
fn steers(c: char) -> bool {
    c.is_control() && !matches!(c, '\n' | '\t') || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The same document: in valid JSON such characters stand in texts only, where they may be escaped.
fn harmless_json(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        if steers(c) {
            text.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            text.push(c);
        }
    }
    text
}

/// Text from a server without the control characters that could steer a terminal; lines and tabs stay.
pub(crate) fn harmless(text: &str) -> String {
    text.replace("\r\n", "\n").chars().map(|c| if steers(c) { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_the_same_without_what_steers_a_terminal() {
        let value = serde_json::json!({"stderr": "\u{1b}[2J\u{9b}31m\u{7f}\u{202e}ü\n"});
        let shown = harmless_json(&serde_json::to_string_pretty(&value).unwrap());
        assert!(!shown.chars().any(steers), "{shown:?}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), value);
    }

    #[test]
    fn a_servers_text_cannot_steer_the_terminal() {
        for (text, shown) in [
            ("Error:\tno\r\nspace", "Error:\tno\nspace"),
            ("\u{1b}]0;owned\u{7}", "\u{fffd}]0;owned\u{fffd}"),
            ("abc\u{202e}gpj", "abc\u{fffd}gpj"),
            ("grün → ok", "grün → ok"),
        ] {
            assert_eq!(harmless(text), shown);
        }
    }
}
