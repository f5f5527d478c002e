//! The way that a build's packages take through the cache, which nobody needs to know of: what is printed names the places
//! that they come from.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use asu_sandbox::{Output, OutputStream};

use crate::cache_url::{CacheUrl, split_scheme};

/// So much of a line is waited for at most. No URL is cut in two by that unless a program prints no lines at all.
const LONGEST_LINE: usize = 16 * 1024;

/// The URLs of one build that were rewritten.
#[derive(Debug, Default)]
pub(crate) struct Detour {
    cache: Option<CacheUrl>,
    /// What the rewritten URLs of a host begin with, and what they began with before.
    origins: Mutex<BTreeMap<String, String>>,
}

impl Detour {
    /// Through this cache; without one, no detour at all.
    pub(crate) fn through(cache: Option<CacheUrl>) -> Self {
        Self { cache, origins: Mutex::default() }
    }

    /// True if there is a cache.
    pub(crate) fn is_taken(&self) -> bool {
        self.cache.is_some()
    }

    /// Where a URL is fetched.
    pub(crate) fn of(&self, url: &str) -> String {
        let Some(rewritten) = self.cache.as_ref().and_then(|cache| cache.rewrite(url)) else { return url.to_owned() };
        if let Some((scheme, place)) = split_scheme(url) {
            let path = place.split_once('/').map_or("", |(_, path)| path);
            let begin = |url: &str| url.strip_suffix(path).unwrap_or(url).trim_end_matches('/').to_owned();
            self.origins().entry(begin(&rewritten)).or_insert_with(|| format!("{scheme}{}", begin(place)));
        }
        rewritten
    }

    /// A text with every rewritten URL as it was.
    fn undo<'a>(&self, text: &'a [u8]) -> Cow<'a, [u8]> {
        // From the last to the first: where one begins with the other, the longer comes last.
        self.origins().iter().rev().fold(Cow::Borrowed(text), |text, (rewritten, origin)| {
            match find(&text, rewritten.as_bytes()) {
                Some(_) => Cow::Owned(replace(&text, rewritten.as_bytes(), origin.as_bytes())),
                None => text,
            }
        })
    }

    fn origins(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        self.origins.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

fn replace(mut text: &[u8], part: &[u8], by: &[u8]) -> Vec<u8> {
    let mut replaced = Vec::with_capacity(text.len());
    while let Some(at) = find(text, part) {
        replaced.extend_from_slice(&text[..at]);
        replaced.extend_from_slice(by);
        text = &text[at + part.len()..];
    }
    replaced.extend_from_slice(text);
    replaced
}

/// An output in whose lines the URLs are as they were. Dropped, it passes on what is left without an end.
pub(crate) struct WithoutDetour<'a, O: Output> {
    detour: &'a Detour,
    output: &'a mut O,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

impl<'a, O: Output> WithoutDetour<'a, O> {
    pub(crate) fn new(detour: &'a Detour, output: &'a mut O) -> Self {
        Self { detour, output, stdout: Vec::new(), stderr: Vec::new() }
    }

    fn pass(&mut self, stream: OutputStream, all: bool) {
        let waiting = match stream {
            OutputStream::Stdout => &mut self.stdout,
            OutputStream::Stderr => &mut self.stderr,
        };
        let line = waiting.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let end = if all || waiting.len() - line > LONGEST_LINE { waiting.len() } else { line };
        if end > 0 {
            self.output.write(stream, &self.detour.undo(&waiting[..end]));
            waiting.drain(..end);
        }
    }
}

impl<O: Output> Output for WithoutDetour<'_, O> {
    fn write(&mut self, stream: OutputStream, bytes: &[u8]) {
        if !self.detour.is_taken() {
            return self.output.write(stream, bytes);
        }
        match stream {
            OutputStream::Stdout => self.stdout.extend_from_slice(bytes),
            OutputStream::Stderr => self.stderr.extend_from_slice(bytes),
        }
        self.pass(stream, false);
    }
}

impl<O: Output> Drop for WithoutDetour<'_, O> {
    fn drop(&mut self) {
        for stream in [OutputStream::Stdout, OutputStream::Stderr] {
            self.pass(stream, true);
        }
    }
}

#[cfg(test)]
mod tests {
    use asu_sandbox::Captured;

    use super::*;

    fn detour() -> Detour {
        Detour::through(CacheUrl::parse("http://c.lan/x").unwrap())
    }

    fn printed(detour: &Detour, chunks: &[&str]) -> String {
        let mut output = Captured::default();
        let mut without = WithoutDetour::new(detour, &mut output);
        chunks.iter().for_each(|chunk| without.write(OutputStream::Stderr, chunk.as_bytes()));
        drop(without);
        String::from_utf8(output.stderr).unwrap()
    }

    #[test]
    fn what_is_printed_names_the_places_that_things_come_from() {
        let detour = detour();
        for (url, rewritten) in [
            ("http://d.org/a/b", "http://c.lan/x/d.org/a/b"),
            ("https://d.org.uk/a", "http://c.lan/x/d.org.uk/a"),
            ("https://e.org:8443", "http://c.lan/x/e.org:8443"),
            ("https://e.org/", "http://c.lan/x/e.org/"),
        ] {
            assert_eq!(detour.of(url), rewritten);
            let line = |url: &str| format!("Failed to download {url}/Packages.gz, wget returned 4.\n");
            assert_eq!(printed(&detour, &[&line(rewritten)]), line(url));
        }
        let chunks = ["see http://c.la", "n/x/d.org/y and http://c.lan/x/e.org/z\nhttp://c.l", "an/x/d.org"];
        assert_eq!(printed(&detour, &chunks), "see http://d.org/y and https://e.org/z\nhttp://d.org");
    }

    #[test]
    fn lines_that_do_not_end_are_passed_on_in_parts() {
        let (detour, long) = (detour(), "x".repeat(LONGEST_LINE + 1));
        let mut output = Captured::default();
        let mut without = WithoutDetour::new(&detour, &mut output);
        without.write(OutputStream::Stdout, long.as_bytes());
        assert!(without.stdout.is_empty());
        drop(without);
        assert_eq!(output.stdout, long.as_bytes());
    }

    #[test]
    fn without_a_cache_nothing_is_changed() {
        let detour = Detour::default();
        assert_eq!(detour.of("https://d.org/a"), "https://d.org/a");
        assert_eq!(printed(&detour, &["a", "b"]), "ab");
    }
}
