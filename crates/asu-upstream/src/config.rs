//! The settings of this crate.

use std::collections::BTreeMap;

use asu_config::{ByteSize, DurationSetting};
use serde::Deserialize;

/// Where upstream is, how long its files are believed, and how much of it is held. Field names are the settings' keys.
#[derive(Debug, Clone, Deserialize)]
pub struct Config {
    /// Where clients are told to find the distribution; also read from, unless there is a mirror.
    pub upstream_url: String,
    /// Where metadata is read instead; empty for `upstream_url`.
    pub upstream_mirror_url: String,
    /// How long a file is believed before upstream is asked again.
    pub upstream_ttl: DurationSetting,
    /// How long upstream's word is taken that it has no such file; also the longest pause after a failed fetch.
    pub upstream_negative_ttl: DurationSetting,
    /// How long a fetch may take from the first byte sent to the last one received.
    pub upstream_timeout: DurationSetting,
    /// How long connecting may take.
    pub upstream_connect_timeout: DurationSetting,
    /// How long a request waits for a newer copy of a file that is much older than `upstream_ttl`, before it takes the old one.
    pub upstream_patience: DurationSetting,
    /// The largest file that is read.
    pub upstream_max_size: ByteSize,
    /// The most files of each kind that are held; the least recently used go first.
    pub upstream_max_files: usize,
    /// The most lists of packages of each kind that are held; they are the largest files.
    pub upstream_max_indexes: usize,
    /// The most fetches at the same time.
    pub upstream_max_connections: usize,
    /// Additions and changes to the built-in branches.
    pub branches: BTreeMap<String, BranchSettings>,
    /// Other distributions by name.
    pub distros: BTreeMap<String, DistroSettings>,
}

/// What the settings say about another distribution; everything else is as for the built-in one.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct DistroSettings {
    /// Where clients are told to find it; also read from, unless there is a mirror.
    pub upstream_url: String,
    /// Where its metadata is read instead; empty for `upstream_url`.
    #[serde(default)]
    pub upstream_mirror_url: String,
    /// Its branches, all of them; without this key it has those of OpenWrt.
    pub branches: Option<BTreeMap<String, BranchSettings>>,
}

/// What the settings say about a branch; what they leave out stays as it is built in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct BranchSettings {
    /// Where its files lie; `{version}` stands for the version.
    pub path: Option<String>,
    /// False to refuse its versions.
    pub enabled: Option<bool>,
    /// True for a branch that is development itself and has one version only.
    pub snapshot: Option<bool>,
    /// The revision at which it left the head of development.
    pub branch_off_rev: Option<u32>,
}
