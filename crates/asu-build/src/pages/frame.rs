//! What all pages share: their head and foot.

use std::sync::Arc;

use super::{
    assets::{ASSETS, Assets},
    settings::{Fact, user_settings},
};
use crate::{config::Config, run::SERVICE};

/// What the pages tell that never changes.
#[derive(Clone)]
pub(crate) struct Pages {
    inner: Arc<Inner>,
}

struct Inner {
    contact: Option<Contact>,
    settings: Vec<Fact>,
}

/// Whom users may write to.
#[derive(Clone)]
pub(super) struct Contact {
    pub(super) text: String,
    /// Where a link leads, if it can be one.
    pub(super) url: Option<String>,
}

/// The head and the foot of a page.
pub(super) struct Frame {
    pub(super) assets: &'static Assets,
    pub(super) version: &'static str,
    pub(super) contact: Option<Contact>,
}

impl Pages {
    pub(crate) fn new(config: &Config) -> Self {
        let contact = Contact::parse(&config.answers.contact);
        Self { inner: Arc::new(Inner { contact, settings: user_settings(config) }) }
    }

    pub(super) fn frame(&self) -> Frame {
        Frame { assets: &ASSETS, version: SERVICE.version, contact: self.inner.contact.clone() }
    }

    pub(super) fn settings(&self) -> &[Fact] {
        &self.inner.settings
    }
}

impl Contact {
    /// Nobody if the operator says nothing.
    fn parse(text: &str) -> Option<Self> {
        let is_web = text.starts_with("https://") || text.starts_with("http://");
        let is_mail = text.contains('@') && !text.contains([' ', ':', '/', '?', '&']);
        let url = if is_web { Some(text.to_owned()) } else { is_mail.then(|| format!("mailto:{text}")) };
        (!text.is_empty()).then(|| Self { text: text.to_owned(), url })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_become_links() {
        for (text, expected) in [
            ("admin@example.org", Some("mailto:admin@example.org")),
            ("https://example.org/help", Some("https://example.org/help")),
            ("ask on IRC", None),
            ("javascript:alert(1)@x", None),
        ] {
            assert_eq!(Contact::parse(text).unwrap().url.as_deref(), expected, "{text}");
        }
        assert!(Contact::parse("").is_none());
    }
}
