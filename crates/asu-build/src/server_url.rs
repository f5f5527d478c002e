//! What a reader calls this server.

use axum::http::{HeaderMap, HeaderName, header::HOST, uri::Authority};

const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// The longest name of a host, with its port.
const MAX_LENGTH: usize = 255 + ":65535".len();

/// `https://sysupgrade.example.org`, as the reader sees it; `None` if the request does not say or says something odd.
///
/// A request can only fool its own sender with this, since no cache may keep for others what has it in it.
pub(crate) fn server_url(headers: &HeaderMap) -> Option<String> {
    let host = headers.get(HOST)?.to_str().ok().filter(|host| is_plain(host))?;
    let scheme = match headers.get(X_FORWARDED_PROTO).map(|value| value.as_bytes()) {
        Some(b"https") => "https",
        Some(_) | None => "http",
    };
    Some(format!("{scheme}://{host}"))
}

/// The name or address of a host, and a port: nothing that means anything to a shell, a page or a URL.
fn is_plain(host: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte);
    (1..=MAX_LENGTH).contains(&host.len())
        && host.bytes().all(plain)
        && host.parse::<Authority>().is_ok_and(|authority| !authority.host().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(host: &str, proto: Option<&str>, expected: Option<&str>) {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, host.parse().unwrap());
        if let Some(proto) = proto {
            headers.insert(X_FORWARDED_PROTO, proto.parse().unwrap());
        }
        assert_eq!(server_url(&headers).as_deref(), expected, "{host:?} {proto:?}");
    }

    #[test]
    fn a_server_is_called_what_its_reader_calls_it() {
        check("asu.example.org", Some("https"), Some("https://asu.example.org"));
        check("asu.example.org", None, Some("http://asu.example.org"));
        check("127.0.0.1:8000", Some("http"), Some("http://127.0.0.1:8000"));
        check("[::1]:8000", None, Some("http://[::1]:8000"));
        check("asu.example.org", Some("javascript"), Some("http://asu.example.org"));
        assert_eq!(server_url(&HeaderMap::new()), None);
    }

    #[test]
    fn odd_names_are_not_repeated() {
        for host in
            ["", "a b", "user@host", "a/b", "<script>", "a\"b", "$(id)", "a;b", "a'b", "[", ":80", &"x".repeat(300)]
        {
            check(host, None, None);
        }
    }
}
