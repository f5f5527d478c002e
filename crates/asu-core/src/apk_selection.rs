//! The block in which apk says why it cannot select packages, and the names in it.

use crate::package_errors::{PackageErrors, insert};

/// The block below `unable to select packages:`, one package after the other with its reasons indented below it.
#[derive(Default)]
pub(crate) struct ApkSelection {
    open: bool,
    label: String,
    package: String,
    no_such_package: bool,
    conflicting: bool,
    related: Vec<String>,
}

impl ApkSelection {
    /// Looks at the next line of the output, whether it belongs to the block or not.
    pub(crate) fn parse_line(&mut self, line: &str, errors: &mut PackageErrors) {
        let text = line.trim();
        if text.ends_with("unable to select packages:") {
            self.open = true;
        } else if !line.starts_with(' ') {
            self.end_of_package(errors);
            self.open = false;
        } else if self.open {
            match text.strip_suffix(':').filter(|package| !package.contains(':')) {
                Some(package) => self.begin_package(package, errors),
                None => self.parse_reason(text),
            }
        }
    }

    fn begin_package(&mut self, package: &str, errors: &mut PackageErrors) {
        self.end_of_package(errors);
        let missing = package.strip_suffix(" (no such package)");
        self.no_such_package = missing.is_some();
        self.package = missing.unwrap_or(without_version(package)).to_owned();
    }

    /// `label: word word`; a long list goes on in the next line without its label.
    fn parse_reason(&mut self, text: &str) {
        let words = match text.split_once(": ") {
            Some((label, words)) => {
                label.clone_into(&mut self.label);
                words
            }
            None => text,
        };
        let excludes = matches!(self.label.as_str(), "conflicts" | "breaks");
        self.conflicting |= excludes;
        for word in words.split_whitespace() {
            match word.strip_prefix("world[") {
                Some(asked) => self.related.push(without_constraint(asked).to_owned()),
                None if excludes => self.related.push(without_version(first_part(word, '[')).to_owned()),
                None => {}
            }
        }
    }

    /// Tells what the package is reported for, once all its reasons were read.
    pub(crate) fn end_of_package(&mut self, errors: &mut PackageErrors) {
        let Self { package, no_such_package, conflicting, related, .. } =
            std::mem::replace(self, Self { open: self.open, ..Self::default() });
        let names = related.iter().chain([&package]);
        if no_such_package {
            names.for_each(|name| insert(&mut errors.missing, name));
        } else if conflicting {
            names.for_each(|name| insert(&mut errors.conflicts, name));
        }
    }
}

fn first_part(text: &str, separator: char) -> &str {
    text.split(separator).next().unwrap_or_default()
}

/// `!nftables=1.1.6-r1]` asks about `nftables`.
fn without_constraint(text: &str) -> &str {
    first_part(text.trim_start_matches('!'), ']').split(['=', '<', '>', '~']).next().unwrap_or_default()
}

/// `wget-ssl-1.25.0-r1` is `wget-ssl`. A version is told by its revision, a dot or a tilde, so that `ntfs-3g` stays.
pub(crate) fn without_version(text: &str) -> &str {
    let is_revision =
        |text: &str| text.strip_prefix('r').is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
    let (head, has_revision) = match text.rsplit_once('-') {
        Some((head, revision)) if is_revision(revision) => (head, true),
        Some(_) | None => (text, false),
    };
    match head.rsplit_once('-') {
        Some((name, version))
            if version.starts_with(|c: char| c.is_ascii_digit()) && (has_revision || version.contains(['.', '~'])) =>
        {
            name
        }
        Some(_) | None => text,
    }
}
