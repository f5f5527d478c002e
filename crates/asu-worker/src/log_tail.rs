//! What a command printed: the end of it for people, and whether it said that an image is too big or a disk full.

use asu_core::{BuildLog, is_too_big};
use asu_sandbox::{Captured, Output, OutputStream};

/// What programs print when our own disk is full: a file that may not grow any more has another text.
const DISK_FULL: &str = "No space left on device";

/// The texts that are looked for are shorter; so much is looked at again with the next chunk.
const OVERLAP: usize = 32;

/// Keeps the end of both streams of a command.
#[derive(Debug)]
pub(crate) struct LogTail {
    stdout: Tail,
    stderr: Tail,
}

impl LogTail {
    /// Keeps at most `limit` bytes of each stream.
    pub(crate) fn new(limit: usize) -> Self {
        Self { stdout: Tail::new(limit), stderr: Tail::new(limit) }
    }

    /// The end of what was kept whole.
    pub(crate) fn of(output: &Captured, limit: usize) -> Self {
        let mut tail = Self::new(limit);
        tail.write(OutputStream::Stdout, &output.stdout);
        tail.write(OutputStream::Stderr, &output.stderr);
        tail
    }

    /// As text; says how much is missing. Bytes that are no text are replaced.
    pub(crate) fn render(&self) -> BuildLog {
        BuildLog { stdout: self.stdout.render(), stderr: self.stderr.render() }
    }

    /// True if make said that an image exceeds the device's storage.
    pub(crate) fn says_too_big(&self) -> bool {
        self.stderr.says_too_big || self.stdout.says_too_big
    }

    /// True if a program found our disk full.
    pub(crate) fn says_disk_full(&self) -> bool {
        self.stderr.says_disk_full || self.stdout.says_disk_full
    }
}

impl Output for LogTail {
    fn write(&mut self, stream: OutputStream, bytes: &[u8]) {
        match stream {
            OutputStream::Stdout => self.stdout.write(bytes),
            OutputStream::Stderr => self.stderr.write(bytes),
        }
    }
}

#[derive(Debug)]
struct Tail {
    limit: usize,
    bytes: Vec<u8>,
    cut: u64,
    says_too_big: bool,
    says_disk_full: bool,
}

impl Tail {
    fn new(limit: usize) -> Self {
        Self { limit, bytes: Vec::new(), cut: 0, says_too_big: false, says_disk_full: false }
    }

    fn write(&mut self, bytes: &[u8]) {
        let seen = self.bytes.len().saturating_sub(OVERLAP);
        self.bytes.extend_from_slice(bytes);
        let news = String::from_utf8_lossy(&self.bytes[seen..]);
        self.says_too_big |= is_too_big(&news);
        self.says_disk_full |= news.contains(DISK_FULL);
        // Cut in large steps: moving the rest for every chunk would cost more than it saves.
        if self.bytes.len() > self.limit.saturating_mul(2) {
            self.shorten();
        }
    }

    fn shorten(&mut self) {
        let surplus = self.bytes.len().saturating_sub(self.limit);
        self.bytes.drain(..surplus);
        self.cut += surplus as u64;
    }

    fn render(&self) -> String {
        let surplus = self.bytes.len().saturating_sub(self.limit);
        let cut = self.cut + surplus as u64;
        let text = String::from_utf8_lossy(&self.bytes[surplus..]);
        // A NUL would end the text in some clients.
        let text = text.replace('\0', "\u{fffd}");
        if cut == 0 { text } else { format!("[{cut} bytes before this are not kept]\n{text}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tail(limit: usize, chunks: &[&[u8]]) -> LogTail {
        let mut tail = LogTail::new(limit);
        for chunk in chunks {
            tail.write(OutputStream::Stderr, chunk);
        }
        tail
    }

    #[test]
    fn a_short_log_is_kept_whole() {
        let log = tail(10, &[b"0123", b"456789"]).render();
        assert_eq!((log.stderr.as_str(), log.stdout.as_str()), ("0123456789", ""));
    }

    #[test]
    fn of_a_long_log_the_end_is_kept_and_the_rest_is_counted() {
        let expected = "[15 bytes before this are not kept]\nfghij";
        assert_eq!(tail(5, &[b"0123456789", b"abcdefghij"]).render().stderr, expected);
        assert_eq!(tail(5, &[b"0123456789abcdefghij"]).render().stderr, expected);
        let bytes: Vec<[u8; 1]> = b"0123456789abcdefghij".iter().map(|byte| [*byte]).collect();
        let chunks: Vec<&[u8]> = bytes.iter().map(|byte| &byte[..]).collect();
        assert_eq!(tail(5, &chunks).render().stderr, expected);
    }

    #[test]
    fn what_is_no_text_is_replaced() {
        assert_eq!(tail(10, &[b"a\xff\0b"]).render().stderr, "a\u{fffd}\u{fffd}b");
    }

    #[test]
    fn too_big_is_seen_across_chunks_and_long_before_the_end() {
        assert!(tail(100, &[b"file is too", b" big: 5 > 4"]).says_too_big());
        assert!(tail(64, &[b"mkfs: out of spa", b"ce?", &[b'x'; 1000]]).says_too_big());
        assert!(!tail(64, &[b"is too", b"big"]).says_too_big());
        assert!(tail(64, &[b"cp: No space left", b" on device"]).says_disk_full());
    }
}
