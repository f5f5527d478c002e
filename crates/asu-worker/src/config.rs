//! The settings of the worker: its own and those of its parts.

use std::{collections::BTreeMap, time::Duration};

use asu_config::{ByteSize, DurationSetting, Settings, SettingsError};
use asu_core::{AllowList, Distro, UsignPublicKey};
use asu_sandbox::{ArchiveLimits, ImageReference};
use serde::Deserialize;

use crate::cache_url::CacheUrl;

/// Everything that an operator can set about this process.
#[derive(Debug, Clone)]
pub struct Config {
    /// The edge of the process.
    pub service: asu_service::Config,
    /// Where builds come from.
    pub queue: asu_queue::Config,
    /// What builds run in.
    pub sandbox: asu_sandbox::Config,
    /// Where snapshots and the archives of ImageBuilders come from.
    pub upstream: asu_upstream::Config,
    /// Where images go.
    pub store: asu_store::Config,
    /// What is deleted when.
    pub retention: asu_retention::Config,
    /// How builds are run.
    pub worker: WorkerConfig,
}

/// The worker's own settings; the fields are the keys.
#[derive(Debug, Clone, Deserialize)]
pub struct WorkerConfig {
    /// What logs call this worker; empty for the name of the host.
    pub worker_name: String,
    /// How many builds run at the same time.
    pub concurrency: usize,
    /// What the names of ImageBuilder images begin with.
    pub base_container: String,
    /// What ImageBuilder images are made of that no registry has; empty to make none.
    pub imagebuilder_base: String,
    /// The usign keys of which one must have signed the archive of an ImageBuilder.
    pub imagebuilder_keys: Vec<String>,
    /// The largest archive of an ImageBuilder.
    pub imagebuilder_max_size: ByteSize,
    /// The usign secret key that images are signed with, its certificate beside it; empty to sign none.
    pub build_key: String,
    /// After this time the registry is asked whether an image of this name is still the same.
    pub image_pull_interval: DurationSetting,
    /// ImageBuilder images that no build has used for so long are removed; nothing keeps them for ever.
    pub image_max_age: DurationSetting,
    /// The most bytes that they may have together; 0 for any number.
    pub image_max_disk: ByteSize,
    /// The longest that the commands of a build may take together.
    pub job_timeout: DurationSetting,
    /// The longest that a command may print nothing.
    pub job_output_timeout: DurationSetting,
    /// The most that a command may print.
    pub max_output_size: ByteSize,
    /// The most that is kept of each of a command's two outputs.
    pub max_log_size: ByteSize,
    /// The most bytes that the images of a build may have together.
    pub max_images_size: ByteSize,
    /// The most files that a build may have.
    pub max_images: usize,
    /// Prefixes of the URLs of allowed custom package repositories.
    pub repository_allow_list: Vec<String>,
    /// Where the ImageBuilders of snapshots are fetched.
    pub upstream_url: String,
    /// What builds fetch is fetched through this; empty for where it is.
    pub cache_url: String,
    /// The other distributions by name.
    pub distros: BTreeMap<String, ImageBuilderSource>,
}

/// Where the ImageBuilders of a distribution come from.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ImageBuilderSource {
    /// What the names of its ImageBuilder images begin with.
    pub base_container: String,
    /// Where the ImageBuilders of its snapshots are fetched.
    pub upstream_url: String,
    /// The keys that sign its ImageBuilders; without them, those of the built-in distribution.
    #[serde(default)]
    pub imagebuilder_keys: Option<Vec<String>>,
}

/// Directories in one another that a build may have; the ImageBuilder makes none.
const DEPTH: usize = 4;

/// What a container may outlive its build by before Podman ends it.
const SLACK: Duration = Duration::from_secs(60);

impl Config {
    /// Reads and checks the settings.
    ///
    /// # Errors
    /// A setting that does not fit.
    pub fn load(settings: &Settings) -> Result<Self, SettingsError> {
        let config = Self {
            service: asu_service::Config::load(settings)?,
            queue: settings.section()?,
            sandbox: settings.section()?,
            upstream: settings.section()?,
            store: settings.section()?,
            retention: settings.section()?,
            worker: settings.section()?,
        };
        config.queue.validate().map_err(|error| SettingsError::Contradiction(error.to_string()))?;
        config.store.validate().map_err(|error| SettingsError::Contradiction(error.to_string()))?;
        let retention = config.retention.validate(config.queue.report_timeout);
        retention.map_err(|sentence| SettingsError::Contradiction(sentence.to_owned()))?;
        config.worker.check().map_err(|sentence| SettingsError::Contradiction(sentence.to_owned()))?;
        config.worker.allow_list()?;
        config.worker.cache()?;
        config.worker.check_keys()?;
        Ok(config)
    }

    /// How long the container lives in which an ImageBuilder image is made.
    pub(crate) fn making_lifetime(&self) -> Duration {
        2 * self.sandbox.image_pull_timeout.get() + self.sandbox.podman_transfer_timeout.get() + SLACK
    }

    /// How long a container lives when nobody ends it: longer than any build takes, whose container may become an image
    /// before its own images come out of it.
    pub(crate) fn container_lifetime(&self) -> Duration {
        self.worker.job_timeout.get() + 2 * self.sandbox.podman_transfer_timeout.get() + SLACK
    }
}

impl WorkerConfig {
    /// What may come out of a container.
    pub(crate) fn archive_limits(&self) -> ArchiveLimits {
        ArchiveLimits { bytes: self.max_images_size.get(), entries: self.max_images, depth: DEPTH }
    }

    /// The most bytes that are kept of a command's output.
    pub(crate) fn log_size(&self) -> usize {
        usize::try_from(self.max_log_size.get()).unwrap_or(usize::MAX)
    }

    /// The repositories that requests may bring.
    pub(crate) fn allow_list(&self) -> Result<AllowList, SettingsError> {
        AllowList::parse(&self.repository_allow_list)
            .map_err(|error| SettingsError::Contradiction(format!("repository_allow_list: {error}")))
    }

    /// The cache that builds fetch through.
    pub(crate) fn cache(&self) -> Result<Option<CacheUrl>, SettingsError> {
        CacheUrl::parse(&self.cache_url).map_err(|sentence| SettingsError::Contradiction(sentence.to_owned()))
    }

    /// Where the ImageBuilders of a distribution come from; `None` if the settings do not know it.
    pub(crate) fn source_of(&self, distro: &Distro) -> Option<ImageBuilderSource> {
        if *distro == Distro::openwrt() {
            let (base_container, upstream_url) = (self.base_container.clone(), self.upstream_url.clone());
            return Some(ImageBuilderSource { base_container, upstream_url, imagebuilder_keys: None });
        }
        self.distros.get(distro.as_str()).cloned()
    }

    /// The distributions that the settings know.
    pub(crate) fn distros(&self) -> impl Iterator<Item = Distro> {
        let others = self.distros.keys().filter_map(|name| Distro::parse(name).ok());
        [Distro::openwrt()].into_iter().chain(others)
    }

    /// The keys that a distribution's ImageBuilders are signed with.
    pub(crate) fn keys_of(&self, distro: &Distro) -> Result<Vec<UsignPublicKey>, SettingsError> {
        let own = self.distros.get(distro.as_str()).and_then(|source| source.imagebuilder_keys.as_ref());
        let parse = |text: &String| {
            let sentence = |error| SettingsError::Contradiction(format!("imagebuilder_keys: {text:?} is {error}"));
            UsignPublicKey::parse(text).map_err(sentence)
        };
        own.unwrap_or(&self.imagebuilder_keys).iter().map(parse).collect()
    }

    fn check_keys(&self) -> Result<(), SettingsError> {
        self.distros().try_for_each(|distro| self.keys_of(&distro).map(drop))
    }

    /// What the names of ImageBuilder images begin with, of all distributions.
    pub fn base_containers(&self) -> impl Iterator<Item = &str> {
        let others = self.distros.values().map(|source| source.base_container.as_str());
        [self.base_container.as_str()].into_iter().chain(others)
    }

    fn check(&self) -> Result<(), &'static str> {
        let rules = [
            // Otherwise every request would hear that there is no image for it.
            (
                self.base_containers().all(names_images),
                "base_container must be the name of a repository of images, without a tag",
            ),
            (
                self.imagebuilder_base.is_empty() || self.imagebuilder_base.parse::<ImageReference>().is_ok(),
                "imagebuilder_base must be the name of an image, or empty",
            ),
            (self.imagebuilder_max_size > ByteSize::new(0), "imagebuilder_max_size must be more than nothing"),
            (self.concurrency > 0, "concurrency must be at least 1"),
            (self.max_images > 0, "max_images must be at least 1"),
            (!self.job_timeout.get().is_zero(), "job_timeout must be longer than nothing"),
            (!self.job_output_timeout.get().is_zero(), "job_output_timeout must be longer than nothing"),
            (self.max_output_size >= self.max_log_size, "max_output_size must not be smaller than max_log_size"),
            (self.max_log_size >= ByteSize::new(1024), "max_log_size must be at least 1KiB"),
        ];
        rules.into_iter().find(|(kept, _)| !kept).map_or(Ok(()), |(_, sentence)| Err(sentence))
    }
}

fn names_images(base_container: &str) -> bool {
    let repository = base_container.rsplit('/').next().unwrap_or_default();
    !repository.contains([':', '@']) && base_container.parse::<ImageReference>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_distribution_has_imagebuilders_of_its_own() {
        let distros =
            toml::toml! { immortalwrt = { base_container = "r.example/i", upstream_url = "https://i.example" } };
        let config = Config::load(&Settings::defaults().with("distros", distros)).unwrap().worker;
        let base_of = |name: &str| config.source_of(&Distro::parse(name).unwrap()).map(|source| source.base_container);
        assert_eq!(base_of("openwrt").as_deref(), Some("ghcr.io/openwrt/imagebuilder"));
        assert_eq!(base_of("immortalwrt").as_deref(), Some("r.example/i"));
        assert_eq!(base_of("libremesh"), None);
        let tagged = toml::toml! { x = { base_container = "r.example/i:tag", upstream_url = "https://i.example" } };
        assert!(Config::load(&Settings::defaults().with("distros", tagged)).is_err());
    }

    #[test]
    fn a_distribution_has_keys_of_its_own_or_those_of_the_built_in_one() {
        const KEY: &str = "RWQviwuY4IMGvwLfs6842A0m4EZU1IjczTxKMSk3BQP8DAQLHBwdQiaU";
        let text = format!(
            r#"a = {{ base_container = "r.example/a", upstream_url = "https://a.example", imagebuilder_keys = ["{KEY}"] }}
            b = {{ base_container = "r.example/b", upstream_url = "https://b.example" }}"#
        );
        let load =
            |text: &str| Config::load(&Settings::defaults().with("distros", text.parse::<toml::Table>().unwrap()));
        let config = load(&text).unwrap().worker;
        let keys = |name: &str| config.keys_of(&Distro::parse(name).unwrap()).unwrap();
        assert_eq!(keys("a").iter().map(ToString::to_string).collect::<Vec<_>>(), [KEY]);
        assert!(keys("openwrt").len() > 1);
        assert_eq!(keys("b"), keys("openwrt"));
        let error = load(&text.replace(KEY, "RWQ")).unwrap_err();
        assert!(error.to_string().contains("imagebuilder_keys: \"RWQ\" is not a usign public key"), "{error}");
    }

    #[test]
    fn the_defaults_can_be_used() {
        let config = Config::load(&Settings::defaults()).unwrap();
        assert_eq!((config.worker.concurrency, config.worker.job_timeout.get().as_secs()), (1, 600));
        assert!(config.container_lifetime() > config.worker.job_timeout.get());
    }

    #[test]
    fn contradictions_are_refused_in_a_sentence() {
        for (key, value, sentence) in [
            ("max_output_size", "1KiB", "max_output_size must not be smaller than max_log_size"),
            ("base_container", "", "base_container must be the name of a repository of images"),
            ("base_container", "ghcr.io/openwrt/imagebuilder:x", "base_container must be the name of a repository"),
            ("imagebuilder_base", "not a name", "imagebuilder_base must be the name of an image"),
            ("job_timeout", "0s", "job_timeout must be longer than nothing"),
            ("cache_url", "cache.example.org", "cache_url must be an http(s) URL"),
            ("lease", "1s", "lease must be at least three times redis_timeout"),
        ] {
            let error = Config::load(&Settings::defaults().with(key, value)).unwrap_err();
            assert!(asu_service::error_chain(&error).contains(sentence), "{error}");
        }
    }
}
