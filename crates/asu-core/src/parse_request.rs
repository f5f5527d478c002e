//! Reads a build request as clients send it: lenient where they differ, complete in what it says is wrong.

use std::collections::{BTreeMap, HashSet};

use serde_json::Value;

use crate::{
    BuildRequest, Distro, Filesystem, InvalidName, PackageName, PackageSelector, PackageVersion, ProfileName,
    RepositoriesMode, RepositoryKey, RepositoryName, RepositoryUrl, Target, Version, VersionCode,
    fault::{Fault, Faults},
    fields::Fields,
};

/// How much a request may hold.
#[derive(Debug, Clone, Copy)]
pub struct RequestLimits {
    /// The most packages.
    pub packages: usize,
    /// The longest name of a package or of anything else, in bytes.
    pub name_length: usize,
    /// The longest first-boot script, in bytes.
    pub defaults_length: usize,
    /// The largest root filesystem partition, in MiB.
    pub rootfs_size_mb: u32,
    /// The most custom repositories.
    pub repositories: usize,
    /// The most repository keys.
    pub repository_keys: usize,
    /// The largest repository key, in bytes.
    pub repository_key_size: usize,
}

/// Whether a request comes from a client or has been through the package rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestForm {
    /// As clients send it: pinned packages, if there are any, are the package list.
    Raw,
    /// As prepare returns it: packages that a rule added stand in the list without a version.
    Prepared,
}

/// The longest description of itself that is kept of a client, in characters.
const LONGEST_CLIENT: usize = 256;
/// The longest URL of a repository, in bytes.
const LONGEST_URL: usize = 2048;

impl BuildRequest {
    /// Reads the body of a request and brings it into its one form. The profile is not canonical yet.
    ///
    /// # Errors
    /// Every fault of the body at once.
    pub fn parse(body: &[u8], form: RequestForm, limits: &RequestLimits) -> Result<Self, Faults> {
        let value = parse_json(body)?;
        let Some(object) = value.as_object() else {
            return Err(Faults::single(Fault::new(&[], "dict_type", "expected a JSON object", &value)));
        };
        let mut fields = Fields::new(object);
        match read(&mut fields, form, limits) {
            Some(request) => match fields.into_faults() {
                None => Ok(request),
                Some(faults) => Err(faults),
            },
            None => Err(fields.into_faults().expect("a required field is only absent together with its fault")),
        }
    }
}

fn parse_json(body: &[u8]) -> Result<Value, Faults> {
    let invalid = |msg: String| Faults::single(Fault::new(&[], "json_invalid", msg, &Value::Null));
    let text = std::str::from_utf8(body).map_err(|error| invalid(format!("expected UTF-8 text: {error}")))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim().is_empty() {
        return Err(invalid("expected a JSON object, not an empty body".to_owned()));
    }
    serde_json::from_str(text).map_err(|error| invalid(format!("expected JSON: {error}")))
}

fn read(fields: &mut Fields<'_>, form: RequestForm, limits: &RequestLimits) -> Option<BuildRequest> {
    let distro = fields.text("distro", short(limits, "distro", Distro::parse));
    let version = fields.required("version", short(limits, "version", Version::parse));
    let version_code = fields.text("version_code", short(limits, "version_code", VersionCode::parse));
    let target = fields.required("target", short(limits, "target", Target::parse));
    let profile = fields.required("profile", short(limits, "profile", ProfileName::parse));
    let listed = read_packages(fields, limits);
    let (pinned, packages_versions) = read_packages_versions(fields, limits);
    let diff_packages = fields.flag("diff_packages");
    let defaults = fields.nullable_text("defaults", at_most("defaults", limits.defaults_length));
    let rootfs_size_mb = fields.positive("rootfs_size_mb", limits.rootfs_size_mb);
    let filesystem = fields.nullable_text("filesystem", short(limits, "filesystem", Filesystem::parse));
    let repositories = read_repositories(fields, limits);
    let repositories_mode =
        fields.text("repositories_mode", short(limits, "repositories_mode", parse_mode)).unwrap_or_default();
    let repository_keys = read_keys(fields, limits);
    let client =
        fields.nullable_text("client", |text| Ok::<_, InvalidName>(text.chars().take(LONGEST_CLIENT).collect()));
    let from_version = fields.nullable_text("from_version", short(limits, "from_version", Version::parse));
    let packages = match form {
        RequestForm::Raw if !pinned.is_empty() => pinned,
        RequestForm::Raw => listed,
        RequestForm::Prepared => listed.into_iter().chain(pinned).collect(),
    };
    Some(BuildRequest {
        distro: distro.unwrap_or_else(Distro::openwrt),
        version: version?,
        version_code: version_code.unwrap_or_else(|| VersionCode::parse("").expect("may be empty")),
        target: target?,
        profile: profile?.with_commas_replaced(),
        packages: without_duplicates(packages),
        packages_versions,
        diff_packages,
        defaults: defaults.filter(|script| !script.is_empty()),
        rootfs_size_mb,
        filesystem,
        repositories,
        repositories_mode,
        repository_keys,
        client,
        from_version,
    })
}

fn read_packages(fields: &mut Fields<'_>, limits: &RequestLimits) -> Vec<PackageSelector> {
    let mut packages = Vec::new();
    for (index, value) in fields.list("packages", "strings", limits.packages).iter().enumerate() {
        if value.as_str().is_some_and(|text| text.trim_start_matches('+').is_empty()) {
            continue;
        }
        let parse = short(limits, "package", PackageSelector::parse);
        packages.extend(fields.parse_text(&["packages".into(), index.into()], value, parse));
    }
    packages
}

/// The pinned packages in the order of the request, and their versions.
fn read_packages_versions(
    fields: &mut Fields<'_>,
    limits: &RequestLimits,
) -> (Vec<PackageSelector>, BTreeMap<PackageName, PackageVersion>) {
    let (mut packages, mut versions) = (Vec::new(), BTreeMap::new());
    for (name, version) in fields.object("packages_versions", limits.packages) {
        let place = ["packages_versions".into(), name.as_str().into()];
        let package = fields.parse_text(&place, &name.as_str().into(), short(limits, "package", parse_pinned));
        let version = fields.parse_text(&place, version, short(limits, "package version", PackageVersion::parse));
        if let (Some(name), Some(version)) = (package, version) {
            packages.push(PackageSelector::install(name.clone()));
            versions.insert(name, version);
        }
    }
    (packages, versions)
}

/// A version can only be pinned of a package that is to be installed.
fn parse_pinned(text: &str) -> Result<PackageName, InvalidName> {
    match PackageSelector::parse(text)? {
        PackageSelector { name, remove: false } => Ok(name),
        PackageSelector { remove: true, .. } => {
            Err(InvalidName { what: "package with a version", pattern: "[\\w.,+][\\w.,+-]*", value: text.to_owned() })
        }
    }
}

fn read_repositories(fields: &mut Fields<'_>, limits: &RequestLimits) -> BTreeMap<RepositoryName, RepositoryUrl> {
    let mut repositories = BTreeMap::new();
    for (name, url) in fields.object("repositories", limits.repositories) {
        let place = ["repositories".into(), name.as_str().into()];
        let name =
            fields.parse_text(&place, &name.as_str().into(), short(limits, "repository name", RepositoryName::parse));
        let url = fields.parse_text(&place, url, within(LONGEST_URL, "repository URL", RepositoryUrl::parse));
        repositories.extend(name.zip(url));
    }
    repositories
}

fn read_keys(fields: &mut Fields<'_>, limits: &RequestLimits) -> Vec<RepositoryKey> {
    let mut keys = Vec::new();
    for (index, value) in fields.list("repository_keys", "strings", limits.repository_keys).iter().enumerate() {
        let parse = within(limits.repository_key_size, "repository key", RepositoryKey::parse);
        // The white space around a key is not part of it, nor of its size: a prepared request has some of ours.
        let parse = |text: &str| parse(text.trim());
        keys.extend(fields.parse_text(&["repository_keys".into(), index.into()], value, parse));
    }
    keys
}

fn parse_mode(text: &str) -> Result<RepositoriesMode, InvalidName> {
    match text {
        "append" => Ok(RepositoriesMode::Append),
        "replace" => Ok(RepositoriesMode::Replace),
        _ => Err(InvalidName { what: "repositories_mode", pattern: "append|replace", value: text.to_owned() }),
    }
}

/// Keeps the first of each.
pub(crate) fn without_duplicates(packages: Vec<PackageSelector>) -> Vec<PackageSelector> {
    let mut seen = HashSet::new();
    packages.into_iter().filter(|package| seen.insert(package.clone())).collect()
}

/// Why a text was not taken, in words.
type Reason = String;

fn short<T, E: std::fmt::Display>(
    limits: &RequestLimits,
    what: &'static str,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> impl FnOnce(&str) -> Result<T, Reason> {
    within(limits.name_length, what, parse)
}

fn at_most(what: &'static str, most: usize) -> impl FnOnce(&str) -> Result<String, Reason> {
    within(most, what, |text| Ok::<_, Reason>(text.to_owned()))
}

fn within<T, E: std::fmt::Display>(
    most: usize,
    what: &'static str,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> impl FnOnce(&str) -> Result<T, Reason> {
    move |text| {
        if text.len() > most {
            return Err(format!("{what} must have at most {most} bytes, not {}", text.len()));
        }
        parse(text).map_err(|error| error.to_string())
    }
}
