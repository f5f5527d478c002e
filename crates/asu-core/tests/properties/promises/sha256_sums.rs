//! What holds of every `sha256sums`.

use std::collections::BTreeMap;

use asu_core::Sha256Sums;

/// Only digests and names are read, an archive is a file of its directory, and other digests change nothing else.
pub(crate) fn check(text: &str) {
    let sums = Sha256Sums::new(text);
    let entries: Vec<_> = sums.entries().collect();
    for (digest, name) in &entries {
        assert!(digest.len() == 64 && digest.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')), "{digest}");
        assert!(!name.is_empty() && !name.contains('\n'), "{name:?}");
        assert!(sums.of(name).is_some());
    }
    if let Some(archive) = sums.imagebuilder() {
        assert!(entries.contains(&(archive.sha256.as_str(), archive.name.as_str())));
        assert!(
            !archive.name.starts_with('.') && !archive.name.contains(['/', '\\', '?', '#', '%', ' ']),
            "{archive:?}"
        );
    }
    assert_eq!(sums.with_digests(&BTreeMap::new()), text);
    let other = "0123456789abcdef".repeat(4);
    let digests = entries.iter().map(|(_, name)| ((*name).to_owned(), other.clone())).collect();
    let changed = sums.with_digests(&digests);
    assert_eq!(changed.len(), text.len());
    let expected: Vec<_> = entries.iter().map(|(_, name)| (other.as_str(), *name)).collect();
    assert_eq!(Sha256Sums::new(&changed).entries().collect::<Vec<_>>(), expected);
}
