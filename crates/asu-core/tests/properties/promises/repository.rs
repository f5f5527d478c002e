//! What holds of every repository URL that an allow list lets through.

use asu_core::{AllowList, RepositoryUrl};
use url::Url;

/// Whatever is allowed lies at or below the prefix, however a server reads its path.
pub(crate) fn check(prefix: &str, text: &str) {
    let Ok(repository) = RepositoryUrl::parse(text) else { return };
    assert_eq!(repository.as_str(), text);
    assert!(text.bytes().all(|b| b.is_ascii_graphic() && !b"\\\"'`<>^{|}$".contains(&b)), "{text:?} is one plain word");
    let Ok(list) = AllowList::parse(&[prefix]) else { return };
    if list.allows(&repository) {
        let (place, allowed) = (Place::of(text), Place::of(prefix));
        assert_eq!(place.origin, allowed.origin, "{text:?} {prefix:?}");
        assert!(place.segments.starts_with(&allowed.segments), "{text:?} {prefix:?}");
    }
}

/// Where a URL leads.
struct Place {
    origin: (String, String, Option<u16>),
    segments: Vec<String>,
}

impl Place {
    fn of(text: &str) -> Self {
        let url = Url::parse(text).unwrap();
        assert!(url.username().is_empty() && url.password().is_none() && url.fragment().is_none(), "{text:?}");
        let host = url.host_str().unwrap().to_owned();
        // A program that cuts the host out of the text finds the same one.
        let (scheme, rest) = text.split_once("://").unwrap();
        let authority = rest.split(['/', '?', '#', '\\']).next().unwrap();
        let port = authority.strip_prefix(&host).unwrap_or_else(|| panic!("{text:?} is of another host than {host}"));
        assert!(port.is_empty() || port.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok()), "{text:?}");
        assert_eq!(scheme, url.scheme(), "{text:?}");
        Self { origin: (scheme.to_owned(), host, url.port_or_known_default()), segments: segments(url.path()) }
    }
}

/// The directories of a path for the most lenient server: it decodes as often as there is something to decode, takes
/// both slashes, drops what stands behind a `;`, and walks up at `..`.
fn segments(path: &str) -> Vec<String> {
    let mut path = path.as_bytes().to_vec();
    while let Some(decoded) = decode(&path) {
        path = decoded;
    }
    let mut segments = Vec::new();
    for segment in String::from_utf8_lossy(&path).split(['/', '\\']) {
        match segment.split([';', '\0']).next().unwrap_or_default() {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            name => segments.push(name.to_owned()),
        }
    }
    segments
}

/// The path with its `%xx` decoded, once; nothing if there are none.
fn decode(path: &[u8]) -> Option<Vec<u8>> {
    let (mut decoded, mut rest) = (Vec::new(), path);
    while let [first, tail @ ..] = rest {
        let byte =
            (*first == b'%').then(|| tail.get(..2).and_then(|digits| std::str::from_utf8(digits).ok())).flatten();
        match byte.filter(|digits| !digits.starts_with('+')).and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                decoded.push(byte);
                rest = &tail[2..];
            }
            None => {
                decoded.push(*first);
                rest = tail;
            }
        }
    }
    (decoded.len() < path.len()).then_some(decoded)
}
