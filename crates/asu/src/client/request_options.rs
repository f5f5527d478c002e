//! The options that make up a build request, and the request that they make.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::Args;
use serde_json::{Map, Value, json};

use crate::client::{CLIENT, error::ClientError};

/// What to build. Only what is given is sent: the server knows the defaults.
#[derive(Debug, Args)]
#[command(next_help_heading = "Request")]
pub(crate) struct RequestOptions {
    /// The distribution, openwrt unless another is named
    #[arg(long, value_name = "NAME")]
    distro: Option<String>,
    /// The version to build, such as 24.10.4 or SNAPSHOT
    #[arg(long, required_unless_present = "request")]
    version: Option<String>,
    /// The revision that the ImageBuilder must have, such as r28427-6df0e3d02a
    #[arg(long, value_name = "REVISION")]
    version_code: Option<String>,
    /// The target, such as x86/64
    #[arg(long, required_unless_present = "request")]
    target: Option<String>,
    /// The profile, such as generic or tplink_archer-c7-v5
    #[arg(long, required_unless_present = "request")]
    profile: Option<String>,
    /// Packages, separated by spaces or commas; -NAME leaves a default package out; may be repeated
    #[arg(long, value_name = "PACKAGES", allow_hyphen_values = true)]
    packages: Vec<String>,
    /// The packages are the whole list: default packages that are not in it are left out
    #[arg(long)]
    diff_packages: bool,
    /// A script that the device runs at its first boot
    #[arg(long, value_name = "FILE")]
    defaults: Option<PathBuf>,
    /// The size of the root file system's partition in MiB
    #[arg(long, value_name = "MIB")]
    rootfs_size_mb: Option<u32>,
    /// Make and fetch only images of this root file system, such as squashfs or ext4
    #[arg(long, value_name = "NAME")]
    filesystem: Option<String>,
    /// An additional package repository; may be repeated
    #[arg(long, value_name = "NAME=URL")]
    repository: Vec<String>,
    /// A public key (usign or PEM) that signs the repositories; may be repeated
    #[arg(long, value_name = "FILE")]
    repository_key: Vec<PathBuf>,
    /// Whether the repositories are added to those of the ImageBuilder or replace them
    #[arg(long, value_name = "MODE", value_parser = ["append", "replace"])]
    repositories_mode: Option<String>,
    /// The version that the device runs now
    #[arg(long, value_name = "VERSION")]
    from_version: Option<String>,
    /// Send this JSON request as it is, instead of one made of the options above
    #[arg(long, value_name = "FILE", conflicts_with_all = ["distro", "version", "version_code", "target", "profile", "packages",
        "diff_packages", "defaults", "rootfs_size_mb", "filesystem", "repository", "repository_key", "repositories_mode",
        "from_version"])]
    request: Option<PathBuf>,
}

impl RequestOptions {
    /// The request as it is posted.
    pub(crate) fn request(&self) -> Result<Value, ClientError> {
        match &self.request {
            Some(file) => request_of(file),
            None => self.made_of_options().map(Value::Object),
        }
    }

    fn made_of_options(&self) -> Result<Map<String, Value>, ClientError> {
        let fields = [
            ("distro", self.distro.clone().map(Value::from)),
            ("version", self.version.clone().map(Value::from)),
            ("version_code", self.version_code.clone().map(Value::from)),
            ("target", self.target.clone().map(Value::from)),
            ("profile", self.profile.clone().map(Value::from)),
            ("packages", Some(self.package_list()?.into())),
            ("diff_packages", self.diff_packages.then(|| true.into())),
            ("defaults", self.defaults.as_deref().map(read).transpose()?.map(Value::from)),
            ("rootfs_size_mb", self.rootfs_size_mb.map(Value::from)),
            ("filesystem", self.filesystem.clone().map(Value::from)),
            ("repositories", self.repositories()?),
            ("repository_keys", self.keys()?),
            ("repositories_mode", self.repositories_mode.clone().map(Value::from)),
            ("from_version", self.from_version.clone().map(Value::from)),
            ("client", Some(CLIENT.into())),
        ];
        Ok(fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect())
    }

    fn package_list(&self) -> Result<Vec<String>, ClientError> {
        let separators = |c: char| c == ',' || c.is_whitespace();
        let words = self.packages.iter().flat_map(|text| text.split(separators)).filter(|word| !word.is_empty());
        // `--packages --yes` is a forgotten list, not a package to leave out.
        words
            .map(|word| match word.strip_prefix("--") {
                Some(_) => Err(ClientError::Usage(format!("--packages: {word} is no package"))),
                None => Ok(word.to_owned()),
            })
            .collect()
    }

    fn repositories(&self) -> Result<Option<Value>, ClientError> {
        let entry = |text: &String| match text.split_once('=') {
            Some((name, url)) if !name.is_empty() && !url.is_empty() => Ok((name.to_owned(), json!(url))),
            Some(_) | None => Err(ClientError::Usage(format!("--repository: expected NAME=URL, not {text}"))),
        };
        let repositories: Map<_, _> = self.repository.iter().map(entry).collect::<Result<_, _>>()?;
        Ok((!repositories.is_empty()).then(|| repositories.into()))
    }

    fn keys(&self) -> Result<Option<Value>, ClientError> {
        let keys: Vec<_> = self
            .repository_key
            .iter()
            .map(|file| Ok(key_of(&read(file)?).to_owned()))
            .collect::<Result<_, ClientError>>()?;
        Ok((!keys.is_empty()).then(|| keys.into()))
    }
}

/// A usign key file begins with a comment; the key is its last line.
fn key_of(text: &str) -> &str {
    let text = text.trim();
    if text.starts_with("untrusted comment:") { text.lines().last().unwrap_or(text).trim() } else { text }
}

fn request_of(file: &Path) -> Result<Value, ClientError> {
    let text = read(file)?;
    match serde_json::from_str(text.trim_start_matches('\u{feff}')) {
        Ok(request @ Value::Object(_)) => Ok(request),
        Ok(_) => Err(ClientError::Usage(format!("{} holds no JSON object", file.display()))),
        Err(error) => Err(ClientError::Usage(format!("{} is not valid JSON: {error}", file.display()))),
    }
}

fn read(file: &Path) -> Result<String, ClientError> {
    fs::read_to_string(file).map_err(|source| ClientError::Read { path: file.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        options: RequestOptions,
    }

    fn parse(words: &[&str]) -> Result<RequestOptions, clap::Error> {
        Command::try_parse_from([&["asu"], words].concat()).map(|command| command.options)
    }

    const DEVICE: [&str; 6] = ["--version", "24.10.4", "--target", "x86/64", "--profile", "generic"];

    #[test]
    fn only_what_is_given_is_sent() {
        let words = [&DEVICE[..], &["--packages", "auc, tmux -dnsmasq", "--packages", "-ppp"]].concat();
        let request = parse(&words).unwrap().request().unwrap();
        let expected = json!({"version": "24.10.4", "target": "x86/64", "profile": "generic",
            "packages": ["auc", "tmux", "-dnsmasq", "-ppp"], "client": CLIENT});
        assert_eq!(request, expected);
    }

    #[test]
    fn a_forgotten_list_is_noticed() {
        let options = parse(&[&DEVICE[..], &["--packages", "--yes"]].concat()).unwrap();
        assert!(matches!(options.request(), Err(ClientError::Usage(text)) if text.contains("--yes is no package")));
        let options = parse(&[&DEVICE[..], &["--repository", "https://a.example"]].concat()).unwrap();
        assert!(matches!(options.request(), Err(ClientError::Usage(text)) if text.contains("NAME=URL")));
    }

    #[test]
    fn a_request_file_replaces_the_options() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "\u{feff}{\"version\": \"1\", \"x\": [1]}").unwrap();
        let name = file.path().to_str().unwrap();
        assert_eq!(parse(&["--request", name]).unwrap().request().unwrap(), json!({"version": "1", "x": [1]}));
        assert!(parse(&["--request", name, "--version", "1"]).is_err());
        assert!(parse(&["--version", "1"]).is_err());
        fs::write(file.path(), "[]").unwrap();
        assert!(matches!(parse(&["--request", name]).unwrap().request(), Err(ClientError::Usage(_))));
    }

    #[test]
    fn the_comment_of_a_usign_key_is_left_out() {
        assert_eq!(key_of("untrusted comment: mine\nRWQabc\n"), "RWQabc");
        assert_eq!(key_of("-----BEGIN PUBLIC KEY-----\nx\n-----END PUBLIC KEY-----\n").lines().count(), 3);
    }
}
