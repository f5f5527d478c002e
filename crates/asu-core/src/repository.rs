//! Custom package repositories: their URLs, the list of allowed ones, and their keys.

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use serde::{Deserialize, Serialize};
use url::Url;
use utoipa::ToSchema;

use crate::{checked_text::checked_text, names::InvalidName, text_schema::text_schema};

/// How custom repositories go together with the ImageBuilder's own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum RepositoriesMode {
    /// Added to the ImageBuilder's own.
    Append,
    /// Instead of the ImageBuilder's own.
    #[default]
    Replace,
}

impl RepositoriesMode {
    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Append => "append",
            Self::Replace => "replace",
        }
    }
}

const URL_PATTERN: &str = "https?://[!-~]+";

/// The URL of a package repository, kept as it was sent; http or https.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RepositoryUrl(String);

impl RepositoryUrl {
    /// Checks that this is an http(s) URL of printable ASCII characters, so that it is one word wherever it is written.
    ///
    /// # Errors
    /// Anything else.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        let one_word = text.chars().all(|c| c.is_ascii_graphic() && !"\\\"'`<>^{|}$".contains(c));
        match Url::parse(text) {
            Ok(url) if one_word && matches!(url.scheme(), "http" | "https") => Ok(Self(text.to_owned())),
            _ => Err(InvalidName { what: "repository URL", pattern: URL_PATTERN, value: text.to_owned() }),
        }
    }

    /// The URL as it was sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn url(&self) -> Url {
        Url::parse(&self.0).expect("checked when it was parsed")
    }
}

/// True if a URL means the same to every program that reads it: its parsed form is the text itself, which a dot
/// segment, an upper-case host or a needless port would change; and it holds no user, no fragment, no encoding of
/// the characters that separate segments, and no `;`, behind which some servers drop the rest of a segment: `..;` is `..`.
fn is_unambiguous(text: &str, url: &Url) -> bool {
    (url.as_str() == text || url.as_str().strip_suffix('/') == Some(text) || names_default_port(text, url))
        && url.has_host()
        && !text.contains(['@', ';'])
        && url.fragment().is_none()
        && text.split('%').skip(1).all(is_plain_encoding)
}

/// What follows a `%`. Decoded, it separates no segments; nor does it, decoded again by somebody behind, encode anything.
fn is_plain_encoding(text: &str) -> bool {
    let decoded = text.get(..2).and_then(|digits| hex::decode(digits).ok());
    decoded.is_some_and(|byte| !b"./;\\%\0".contains(&byte[0]))
}

/// `https://host:443/x` is the same as `https://host/x`.
fn names_default_port(text: &str, url: &Url) -> bool {
    let port = if url.scheme() == "https" { ":443" } else { ":80" };
    let host = url.host_str().unwrap_or_default();
    text.replacen(&format!("//{host}{port}"), &format!("//{host}"), 1) == url.as_str()
}

checked_text!(RepositoryUrl, InvalidName);
text_schema!(RepositoryUrl, URL_PATTERN, "https://repo.example.org/24.10", "The URL of a package repository.");

/// The repositories that an operator allows: prefixes of URLs.
#[derive(Debug, Clone, Default)]
pub struct AllowList(Vec<RepositoryUrl>);

impl AllowList {
    /// Reads the operator's prefixes.
    ///
    /// # Errors
    /// A prefix that is no URL, or one that could be read in two ways.
    pub fn parse<T: AsRef<str>>(prefixes: &[T]) -> Result<Self, InvalidName> {
        prefixes.iter().map(|prefix| parse_prefix(prefix.as_ref())).collect::<Result<_, _>>().map(Self)
    }

    /// True if scheme, host and port are equal to those of a prefix and the path begins with its path, whole segments.
    /// A URL that could be read in two ways is on no list.
    pub fn allows(&self, repository: &RepositoryUrl) -> bool {
        let url = repository.url();
        is_unambiguous(repository.as_str(), &url) && self.0.iter().any(|prefix| is_below(&url, &prefix.url()))
    }
}

fn parse_prefix(text: &str) -> Result<RepositoryUrl, InvalidName> {
    let prefix = RepositoryUrl::parse(text)?;
    let url = prefix.url();
    // Only paths are compared; a query would look like a narrower prefix than it is.
    if is_unambiguous(text, &url) && url.query().is_none() {
        return Ok(prefix);
    }
    let pattern = "an http(s) URL in its plain form: lower-case host, no user, query, fragment or dot segments";
    Err(InvalidName { what: "allowed repository", pattern, value: text.to_owned() })
}

fn is_below(url: &Url, prefix: &Url) -> bool {
    let path = prefix.path().strip_suffix('/').unwrap_or(prefix.path());
    prefix.scheme() == url.scheme()
        && prefix.host_str() == url.host_str()
        && prefix.port_or_known_default() == url.port_or_known_default()
        && url.path().strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// A key that signs a repository's index: usign for opkg, PEM for apk.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum RepositoryKey {
    /// A usign public key: the base64 text of 42 bytes.
    Usign(String),
    /// A PEM public key, the whole text.
    Pem(String),
}

/// A repository key that is neither of the known kinds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a usign public key (base64 of 42 bytes) or a PEM public key")]
pub struct InvalidRepositoryKey;

/// `Ed`, the signature algorithm at the start of a usign key.
const USIGN_ALGORITHM: &[u8] = b"Ed";
/// Algorithm (2), fingerprint (8) and key (32).
const USIGN_LENGTH: usize = 42;
const PEM_BEGIN: &str = "-----BEGIN PUBLIC KEY-----";
const PEM_END: &str = "-----END PUBLIC KEY-----";

impl RepositoryKey {
    /// Reads a key; white space around it is not part of it.
    ///
    /// # Errors
    /// A text that is neither a usign nor a PEM public key.
    pub fn parse(text: &str) -> Result<Self, InvalidRepositoryKey> {
        let text = text.trim();
        if let Some(body) = text.strip_prefix(PEM_BEGIN).and_then(|rest| rest.strip_suffix(PEM_END)) {
            let body: String = body.split_ascii_whitespace().collect();
            return match BASE64.decode(&body) {
                Ok(bytes) if !bytes.is_empty() => Ok(Self::Pem(format!("{text}\n"))),
                _ => Err(InvalidRepositoryKey),
            };
        }
        match BASE64.decode(text) {
            Ok(bytes) if bytes.len() == USIGN_LENGTH && bytes.starts_with(USIGN_ALGORITHM) => {
                Ok(Self::Usign(text.to_owned()))
            }
            _ => Err(InvalidRepositoryKey),
        }
    }

    /// The text of the key, as it is hashed and written to files.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Usign(text) | Self::Pem(text) => text,
        }
    }
}

text_schema!(
    RepositoryKey,
    "(?s:.+)",
    "RWSfy+nwo1nG3gAc9Dh7WLrd3oHo0XQwqtPc6Un1D9nuzdVcsE1vP7RP",
    "A usign public key (base64 of 42 bytes), or a PEM public key, white space around it aside."
);

impl TryFrom<String> for RepositoryKey {
    type Error = InvalidRepositoryKey;

    fn try_from(text: String) -> Result<Self, InvalidRepositoryKey> {
        Self::parse(&text)
    }
}

impl From<RepositoryKey> for String {
    fn from(key: RepositoryKey) -> String {
        key.as_str().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_allow_list_compares_parsed_urls() {
        let list = AllowList::parse(&["https://repo.example.org/openwrt/", "http://[2001:db8::1]:8080"]).unwrap();
        for (url, allowed) in [
            ("https://repo.example.org/openwrt/24.10", true),
            ("https://repo.example.org/openwrt", true),
            ("https://repo.example.org:443/openwrt/x", true),
            ("https://repo.example.org:0443/openwrt/x", false),
            ("http://repo.example.org:443/openwrt/x", false),
            ("https://repo.example.org/openwrt//x", true),
            ("https://repo.example.org//openwrt/x", false),
            ("https://repo.example.org/openwrt;x/y", false),
            ("http://[2001:0db8::1]:8080/x", false),
            ("http://[2001:db8::1]:8080/x", true),
            ("http://repo.example.org/openwrt/x", false),
            ("https://repo.example.org/openwrt-evil/x", false),
            ("https://repo.example.org:444/openwrt/x", false),
            ("https://repo.example.org.evil.org/openwrt/x", false),
            ("http://[2001:db8::1]/x", false),
        ] {
            assert_eq!(list.allows(&RepositoryUrl::parse(url).unwrap()), allowed, "{url}");
        }
    }

    #[test]
    fn a_url_with_two_readings_is_on_no_list() {
        let list = AllowList::parse(&["https://repo.example.org/openwrt"]).unwrap();
        for url in [
            "https://repo.example.org/openwrt/../secret",
            "https://repo.example.org/openwrt/./x",
            "https://repo.example.org/openwrt/%2e%2e/secret",
            "https://repo.example.org/openwrt/.%2E/secret",
            "https://repo.example.org/openwrt/%2fsecret",
            "https://repo.example.org/openwrt/%252e%252e/secret",
            "https://repo.example.org/openwrt/.%%32e/secret",
            "https://repo.example.org/openwrt/.%2%65/secret",
            "https://repo.example.org/openwrt/%",
            "https://repo.example.org/openwrt/%zz",
            "https://repo.example.org/openwrt/..;/secret",
            "https://repo.example.org/openwrt/..%3B/secret",
            "https://user@repo.example.org/openwrt",
            "https://repo.example.org@evil.org/openwrt",
            "https://REPO.example.org/openwrt",
            "HTTPS://repo.example.org/openwrt",
            "https://repo.example.org./openwrt",
            "https:repo.example.org/openwrt",
            "https://repo.example.org/openwrt#x",
        ] {
            assert!(!list.allows(&RepositoryUrl::parse(url).unwrap()), "{url:?}");
        }
    }

    #[test]
    fn only_one_slash_at_the_end_of_a_prefix_means_nothing() {
        let list = AllowList::parse(&["https://repo.example.org//"]).unwrap();
        for (url, allowed) in [("https://repo.example.org//x", true), ("https://repo.example.org/x", false)] {
            assert_eq!(list.allows(&RepositoryUrl::parse(url).unwrap()), allowed, "{url}");
        }
    }

    #[test]
    fn a_prefix_has_no_query() {
        let error = AllowList::parse(&["https://repo.example.org/?repository=openwrt"]).unwrap_err();
        assert!(error.to_string().contains("no user, query"), "{error}");
    }

    #[test]
    fn a_repository_url_is_one_word() {
        for url in [
            "ftp://repo.example.org/openwrt",
            "file:///etc/passwd",
            "https://repo.example.org\\@evil.org/",
            "https://repo.example.org/a b",
            "https://repo.example.org/a\nsrc/gz evil http://evil",
            "https://repo.example.org/$(reboot)",
            "https://répo.example.org/a",
            "https://",
            "repo.example.org/openwrt",
            "",
        ] {
            assert!(RepositoryUrl::parse(url).is_err(), "{url:?}");
            assert!(AllowList::parse(&[url]).is_err(), "{url:?}");
        }
    }

    #[test]
    fn keys_are_usign_or_pem() {
        let usign = BASE64.encode([b"Ed".as_slice(), &[7; 40]].concat());
        let pem = format!("{PEM_BEGIN}\nMFkwEwYHKoZIzj0CAQ==\n{PEM_END}");
        assert_eq!(RepositoryKey::parse(&usign), Ok(RepositoryKey::Usign(usign.clone())));
        assert_eq!(RepositoryKey::parse(&format!(" {pem}\n")), Ok(RepositoryKey::Pem(format!("{pem}\n"))));
        for text in [
            "",
            "abc",
            &usign[4..],
            &BASE64.encode([0; 42]),
            "-----BEGIN PUBLIC KEY-----\n",
            &pem.replace("MFk", "!!!"),
        ] {
            assert_eq!(RepositoryKey::parse(text), Err(InvalidRepositoryKey), "{text:?}");
        }
    }
}
