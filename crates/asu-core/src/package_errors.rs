//! What opkg and apk print when packages cannot be installed.

use std::collections::BTreeSet;

use crate::{
    apk_selection::{ApkSelection, without_version},
    failed_download::failed_download,
    names::PackageName,
    signatures::Signatures,
};

/// What the output of a failed `make manifest` says about packages and downloads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PackageErrors {
    /// Packages that do not exist or cannot be installed; never one that conflicts.
    pub missing: BTreeSet<String>,
    /// Packages that exclude each other.
    pub conflicts: BTreeSet<String>,
    /// The first thing that could not be downloaded: a URL where one was printed, else the line.
    pub failed_download: Option<String>,
    /// The first repository whose signature was missing or wrong, or made with a key that is not known.
    pub untrusted: Option<String>,
}

impl PackageErrors {
    /// Reads the texts of either package manager; anything else is passed over.
    pub fn parse(text: &str) -> Self {
        let mut errors = Self::default();
        let mut selection = ApkSelection::default();
        let mut signatures = Signatures::default();
        for line in text.lines() {
            let known = errors.note(line, &mut signatures) || errors.parse_opkg(line) || errors.parse_apk(line);
            if !known {
                selection.parse_line(line, &mut errors);
            }
        }
        selection.end_of_package(&mut errors);
        errors.forget_conflicting_as_missing();
        errors
    }

    /// What the other output of the same command says.
    pub(crate) fn add(&mut self, other: Self) {
        self.missing.extend(other.missing);
        self.conflicts.extend(other.conflicts);
        self.failed_download = self.failed_download.take().or(other.failed_download);
        self.untrusted = self.untrusted.take().or(other.untrusted);
        self.forget_conflicting_as_missing();
    }

    /// A package that conflicts is reported a second time as one that cannot be installed.
    fn forget_conflicting_as_missing(&mut self) {
        self.missing.retain(|name| !self.conflicts.contains(name));
    }

    fn parse_opkg(&mut self, line: &str) -> bool {
        if let Some((_, name)) = line.split_once("opkg_install_cmd: Cannot install package ") {
            insert(&mut self.missing, name.trim_end().trim_end_matches('.'));
        } else if let Some((_, names)) = line.split_once("check_conflicts_for:") {
            let names = names.trim().trim_start_matches("The following packages conflict with ").trim_end_matches(':');
            names.split_whitespace().for_each(|name| insert(&mut self.conflicts, name));
        } else if let Some((_, clash)) = line.split_once("check_data_file_clashes: Package ") {
            insert(&mut self.conflicts, first_word(clash));
        } else if let Some((_, owner)) = line.split_once("But that file is already provided by package") {
            insert(&mut self.conflicts, first_word(owner.trim_start_matches([' ', '*'])));
        } else if let Some((_, names)) = line.split_once("pkg_hash_check_unresolved: cannot find dependency ") {
            insert(&mut self.missing, first_word(names));
        } else {
            return false;
        }
        true
    }

    fn parse_apk(&mut self, line: &str) -> bool {
        let line = line.trim();
        if let Some((package, rest)) = line.split_once(": trying to overwrite ") {
            let owner = rest.rsplit_once(" owned by ").map_or("", |(_, owner)| owner.trim_end_matches('.'));
            insert(&mut self.conflicts, without_version(package.trim_start_matches("ERROR: ")));
            insert(&mut self.conflicts, without_version(owner));
        } else {
            return false;
        }
        true
    }

    /// Downloads and signatures, of which only the first trouble counts: the rest may follow from it.
    fn note(&mut self, line: &str, signatures: &mut Signatures) -> bool {
        if let Some(repository) = signatures.untrusted(line) {
            self.untrusted.get_or_insert(repository);
        } else if let Some(what) = failed_download(line) {
            self.failed_download.get_or_insert_with(|| what.to_owned());
        } else {
            return false;
        }
        true
    }
}

/// Only what can be the name of a package goes into an answer.
pub(crate) fn insert(names: &mut BTreeSet<String>, name: &str) {
    if PackageName::parse(name).is_ok() {
        names.insert(name.to_owned());
    }
}

fn first_word(text: &str) -> &str {
    text.split_whitespace().next().unwrap_or_default()
}

#[cfg(test)]
mod tests;
