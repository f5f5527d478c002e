//! Where the server is.

use std::{fmt, str::FromStr};

use url::Url;

/// The address of a server: http or https, perhaps with a path below which the API lies.
#[derive(Clone)]
pub(crate) struct ServerUrl(Url);

/// A text that names no server.
#[derive(Debug, thiserror::Error)]
#[error("expected a URL such as https://sysupgrade.openwrt.org: {0}")]
pub(crate) struct InvalidServerUrl(&'static str);

impl FromStr for ServerUrl {
    type Err = InvalidServerUrl;

    fn from_str(text: &str) -> Result<Self, InvalidServerUrl> {
        let mut url = Url::parse(text.trim()).map_err(|_| InvalidServerUrl("this is no URL"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(InvalidServerUrl("it must begin with http:// or https://"));
        }
        url.set_query(None);
        url.set_fragment(None);
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&path);
        Ok(Self(url))
    }
}

impl ServerUrl {
    /// The address of something on this server; each segment is encoded, so that none can become two.
    pub(crate) fn at(&self, segments: &[&str]) -> Url {
        let mut url = self.0.clone();
        url.path_segments_mut().expect("an http URL has a path").pop_if_empty().extend(segments);
        url
    }
}

/// Without user and password.
impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut url = self.0.clone();
        // Neither fails on a URL that has a host, and http URLs have one.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        f.write_str(url.as_str().trim_end_matches('/'))
    }
}

impl fmt::Debug for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, address: &str) {
        let server: ServerUrl = text.parse().unwrap();
        assert_eq!(server.at(&["api", "v1", "build"]).as_str(), address, "{text}");
    }

    #[test]
    fn slashes_and_prefixes_are_understood() {
        check("http://127.0.0.1:8000", "http://127.0.0.1:8000/api/v1/build");
        check("https://asu.example/", "https://asu.example/api/v1/build");
        check("https://asu.example//", "https://asu.example/api/v1/build");
        check("https://example.org/asu/?x=1#y", "https://example.org/asu/api/v1/build");
    }

    #[test]
    fn a_segment_stays_one_segment() {
        let server: ServerUrl = "http://a.example/".parse().unwrap();
        assert_eq!(server.at(&["store", "../x", "a?b"]).as_str(), "http://a.example/store/..%2Fx/a%3Fb");
    }

    #[test]
    fn only_http_is_spoken() {
        for text in ["", "localhost:8000", "ftp://a.example", "file:///etc/passwd", "https://"] {
            assert!(text.parse::<ServerUrl>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn passwords_are_not_shown() {
        let server: ServerUrl = "https://me:hunter2@a.example/asu/".parse().unwrap();
        assert_eq!(server.to_string(), "https://a.example/asu");
    }
}
