//! What a build prints while it runs, on its way to everybody who wants to see it: collected without ever waiting.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use asu_core::Stage;
use tokio::{sync::Notify, time::timeout};

/// The most text of one entry.
pub(crate) const LARGEST_ENTRY: usize = 8 * 1024;

/// The most text that waits to be carried to Redis; what is oldest makes room.
const MOST_WAITING: usize = 64 * 1024;

/// A longer line is told in parts.
const LONGEST_LINE: usize = 4 * 1024;

/// The log of a running build that others can read. Nothing here waits or fails: what does not get through to Redis in
/// time is dropped, and readers are told how much that was. Clones are the same log.
#[derive(Debug, Clone, Default)]
pub struct LiveLog {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    /// Something waits.
    some: Notify,
    /// What waits should go now.
    enough: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    entries: VecDeque<Entry>,
    bytes: usize,
    end: u64,
}

/// A part of the log.
#[derive(Debug)]
pub(crate) struct Entry {
    /// Bytes of the log up to the end of this.
    pub(crate) end: u64,
    /// `stage` or `text`.
    pub(crate) kind: &'static str,
    pub(crate) text: String,
}

/// Makes lines of one output of a command. Dropped, it tells what is left without an end.
#[derive(Debug)]
pub struct LogLines {
    log: LiveLog,
    unfinished: Vec<u8>,
}

impl LiveLog {
    /// A line of our own.
    pub fn line(&self, text: &str) {
        self.push("text", &format!("{text}\n"));
    }

    /// An output that begins now. Several outputs of one command mix by lines.
    pub fn lines(&self) -> LogLines {
        LogLines { log: self.clone(), unfinished: Vec::new() }
    }

    pub(crate) fn stage(&self, stage: Stage) {
        self.push("stage", stage.as_str());
        self.shared.enough.notify_one();
    }

    /// Returns when something waits and has waited for `interval` or become a lot; at the latest after `patience`.
    pub(crate) async fn filled(&self, interval: Duration, patience: Duration) {
        if timeout(patience, self.shared.some.notified()).await.is_ok() {
            let _ = timeout(interval, self.shared.enough.notified()).await;
        }
    }

    /// Everything that waits.
    pub(crate) fn take(&self) -> Vec<Entry> {
        let mut waiting = self.waiting();
        waiting.bytes = 0;
        waiting.entries.drain(..).collect()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting().entries.is_empty()
    }

    fn push(&self, kind: &'static str, text: &str) {
        let is_much = {
            let mut waiting = self.waiting();
            waiting.push(kind, text);
            waiting.bytes >= LARGEST_ENTRY
        };
        self.shared.some.notify_one();
        if is_much {
            self.shared.enough.notify_one();
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.shared.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn push(&mut self, kind: &'static str, mut text: &str) {
        while !text.is_empty() {
            let (head, rest) = text.split_at(text.floor_char_boundary(LARGEST_ENTRY));
            self.push_entry(kind, head);
            text = rest;
        }
        while self.bytes > MOST_WAITING {
            let oldest = self.entries.pop_front().expect("bytes are of entries");
            self.bytes -= oldest.text.len();
        }
    }

    fn push_entry(&mut self, kind: &'static str, text: &str) {
        self.bytes += text.len();
        self.end += text.len() as u64;
        match self.entries.back_mut() {
            Some(last) if last.kind == "text" && kind == "text" && last.text.len() + text.len() <= LARGEST_ENTRY => {
                last.text.push_str(text);
                last.end = self.end;
            }
            Some(_) | None => self.entries.push_back(Entry { end: self.end, kind, text: text.to_owned() }),
        }
    }
}

impl LogLines {
    /// Takes a chunk, which may end anywhere. Bytes that are no text are replaced.
    pub fn write(&mut self, bytes: &[u8]) {
        let seen = self.unfinished.len().saturating_sub(1);
        self.unfinished.extend_from_slice(bytes);
        // A carriage return that comes last may be the first half of a line's end.
        let last = self.unfinished.len().saturating_sub(1);
        let ends = |(at, byte): (usize, &u8)| {
            (*byte == b'\n' || (*byte == b'\r' && at + seen < last)).then_some(at + seen + 1)
        };
        if let Some(end) = self.unfinished[seen..].iter().enumerate().rev().find_map(ends) {
            self.tell(end);
        }
        if self.unfinished.len() > LONGEST_LINE {
            self.tell(whole_characters(&self.unfinished));
        }
    }

    fn tell(&mut self, end: usize) {
        self.log.push("text", &String::from_utf8_lossy(&self.unfinished[..end]));
        self.unfinished.drain(..end);
    }
}

impl Drop for LogLines {
    fn drop(&mut self) {
        if !self.unfinished.is_empty() {
            self.unfinished.push(b'\n');
            self.tell(self.unfinished.len());
        }
    }
}

/// The length without a character that is not complete yet.
fn whole_characters(bytes: &[u8]) -> usize {
    let tail = bytes.len().saturating_sub(3);
    let begins = |byte: &u8| *byte >= 0xc0;
    let Some(begin) = bytes[tail..].iter().rposition(begins).map(|at| at + tail) else { return bytes.len() };
    match std::str::from_utf8(&bytes[begin..]) {
        Err(error) if error.error_len().is_none() => begin,
        Ok(_) | Err(_) => bytes.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(log: &LiveLog) -> String {
        log.take().into_iter().map(|entry| entry.text).collect()
    }

    #[test]
    fn lines_are_told_when_they_are_complete() {
        let log = LiveLog::default();
        let (mut stdout, mut stderr) = (log.lines(), log.lines());
        stdout.write(b"one\ntw");
        stderr.write(b"warn");
        stdout.write(b"o\nthr");
        stderr.write(b"ing\n");
        assert_eq!(text(&log), "one\ntwo\nwarning\n");
        drop((stdout, stderr));
        assert_eq!(text(&log), "thr\n");
    }

    #[test]
    fn a_carriage_return_ends_a_line_and_belongs_to_the_newline_after_it() {
        let log = LiveLog::default();
        let mut lines = log.lines();
        lines.write(b"10%\r20%\r");
        assert_eq!(text(&log), "10%\r");
        lines.write(b"\n");
        assert_eq!(text(&log), "20%\r\n");
        lines.write(b"done\r");
        lines.write(b"more\r");
        assert_eq!(text(&log), "done\r");
    }

    #[test]
    fn what_is_no_text_is_replaced_and_no_character_is_torn() {
        let log = LiveLog::default();
        let mut lines = log.lines();
        lines.write(b"a\xffb\xe2\x82");
        lines.write(b"\xac\n");
        assert_eq!(text(&log), "a\u{fffd}b\u{20ac}\n");
        lines.write(&[&[b'x'; LONGEST_LINE][..], b"\xe2\x82"].concat());
        assert_eq!(text(&log), "x".repeat(LONGEST_LINE), "a long line does not wait for its end");
        lines.write(b"\xac\n");
        assert_eq!(text(&log), "\u{20ac}\n");
    }

    #[test]
    fn entries_are_small_and_tell_where_they_end() {
        let log = LiveLog::default();
        log.stage(Stage::Init);
        log.line("a");
        log.line("b");
        log.line(&"\u{20ac}".repeat(LARGEST_ENTRY));
        let entries = log.take();
        assert_eq!((entries[0].kind, entries[0].end), ("stage", 4));
        assert_eq!((entries[1].text.as_str(), entries[1].end), ("a\nb\n", 8));
        assert!(entries.iter().all(|entry| entry.text.len() <= LARGEST_ENTRY));
        assert_eq!(entries.last().unwrap().end, 8 + 3 * LARGEST_ENTRY as u64 + 1);
    }

    #[test]
    fn the_oldest_makes_room_and_its_bytes_still_count() {
        let log = LiveLog::default();
        for number in 0..10_000 {
            log.line(&format!("line {number:05}"));
        }
        let entries = log.take();
        let kept: usize = entries.iter().map(|entry| entry.text.len()).sum();
        assert!(kept <= MOST_WAITING && kept > MOST_WAITING - LARGEST_ENTRY, "{kept}");
        let last = entries.last().unwrap();
        assert!(last.end == 110_000 && last.text.ends_with("line 09999\n"), "{last:?}");
    }
}
