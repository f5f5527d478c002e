//! The cache through which packages are fetched: `https://host/path` becomes `{cache_url}/host/path`.

use asu_core::RepositoryUrl;

/// The address of a caching proxy, without a slash at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CacheUrl(String);

impl CacheUrl {
    /// Reads the setting; `None` if it is empty.
    ///
    /// # Errors
    /// A text that is no plain http(s) URL; the error is a sentence.
    pub(crate) fn parse(text: &str) -> Result<Option<Self>, &'static str> {
        if text.is_empty() {
            return Ok(None);
        }
        match RepositoryUrl::parse(text) {
            Ok(_) if !text.contains(['?', '#', '@']) => Ok(Some(Self(text.trim_end_matches('/').to_owned()))),
            Ok(_) | Err(_) => Err("cache_url must be an http(s) URL without user, query or fragment"),
        }
    }

    /// Where a URL is fetched instead; `None` if it is fetched where it is: no http(s), a user in it, or the cache itself.
    pub(crate) fn rewrite(&self, url: &str) -> Option<String> {
        let is_own = url.strip_prefix(&self.0).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        let (_, place) = split_scheme(url)?;
        let host = place.split('/').next().unwrap_or_default();
        (!is_own && !host.is_empty() && !host.contains('@')).then(|| format!("{}/{place}", self.0))
    }
}

/// `https://` and the rest.
pub(crate) fn split_scheme(url: &str) -> Option<(&str, &str)> {
    let scheme = ["http://", "https://"].into_iter().find(|scheme| url.starts_with(scheme))?;
    Some(url.split_at(scheme.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache(text: &str) -> CacheUrl {
        CacheUrl::parse(text).unwrap().unwrap()
    }

    #[test]
    fn urls_of_the_web_go_through_the_cache() {
        for (url, rewritten) in [
            ("https://d.org/releases/x", Some("http://c.lan:8080/d.org/releases/x")),
            ("http://d.org/releases/x", Some("http://c.lan:8080/d.org/releases/x")),
            ("https://d.org:8443/x/packages.adb", Some("http://c.lan:8080/d.org:8443/x/packages.adb")),
            ("https://d.org", Some("http://c.lan:8080/d.org")),
            ("http://c.lan:8080/d.org/x", None),
            ("http://c.lan:8080", None),
            ("http://c.lan:80801/x", Some("http://c.lan:8080/c.lan:80801/x")),
            ("https://user@d.org/x", None),
            ("file:packages", None),
            ("https:///x", None),
        ] {
            for text in ["http://c.lan:8080", "http://c.lan:8080/"] {
                assert_eq!(cache(text).rewrite(url).as_deref(), rewritten, "{url}");
            }
        }
        assert_eq!(cache("https://c.org/a/b").rewrite("http://d.org/x").as_deref(), Some("https://c.org/a/b/d.org/x"));
    }

    #[test]
    fn a_cache_is_a_plain_url() {
        assert_eq!(CacheUrl::parse(""), Ok(None));
        for text in
            ["c.lan:8080", "ftp://c.lan", "http://u@c.lan", "http://c.lan/?x", "http://c.lan/#x", "http://c lan"]
        {
            assert!(CacheUrl::parse(text).is_err(), "{text}");
        }
    }
}
