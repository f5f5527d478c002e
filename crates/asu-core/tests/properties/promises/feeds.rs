//! What holds of every feeds.conf.

use asu_core::parse_feeds;

/// Every feed is a directory right below the one that its file lies in.
pub(crate) fn check(text: &str) {
    let feeds = parse_feeds(text);
    assert!(feeds.len() <= text.lines().count());
    for feed in feeds {
        assert!(feed.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.+-".contains(&b)), "{feed:?}");
        assert!(!matches!(&*feed, "" | "." | ".."), "{feed:?}");
    }
}
