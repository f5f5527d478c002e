//! Making an image: the archive goes as a stream into a container of the base, is checked, unpacked and committed.

use std::{collections::BTreeMap, time::Duration};

use asu_core::{Distro, ImageBuilderArchive};
use asu_sandbox::{
    Captured, Command, CommandLimits, Files, ImageId, ImageReference, Network, Outcome, Podman, PullError, Sandbox,
    SandboxError,
};
use asu_upstream::{DownloadLimits, Downloads};

use super::{
    error::MakeError,
    imagebuilder_archive::{directory, find_archive},
    origin::Origin,
    watched_download::watch,
};
use crate::{
    commands::USER, config::Config, injected_files::BUILDBOT, log_tail::LogTail, make::BUILDER,
    wanted_image::WantedImage, worker::WorkerError,
};

/// What the archive is called while it is in the container.
const ARCHIVE: &str = ".imagebuilder-archive";

/// So much of what a program says that fails goes into our log.
const SHOWN: usize = 2048;

/// Makes images and finds those that were made, by this process or by another one on this Podman.
#[derive(Debug)]
pub(crate) struct SelfMade {
    podman: Podman,
    base: Option<ImageReference>,
    origins: BTreeMap<Distro, Origin>,
    download: DownloadLimits,
    unpacking: CommandLimits,
    lifetime: Duration,
}

impl SelfMade {
    pub(crate) fn new(config: &Config, podman: &Podman) -> Result<Self, WorkerError> {
        let worker = &config.worker;
        let mut origins = BTreeMap::new();
        for distro in worker.distros() {
            let (Some(source), Some(downloads)) =
                (worker.source_of(&distro), Downloads::of(&config.upstream, &distro).map_err(WorkerError::Upstream)?)
            else {
                continue;
            };
            let keys = worker.keys_of(&distro).map_err(WorkerError::Settings)?;
            origins.insert(distro, Origin { downloads, upstream_url: source.upstream_url, keys });
        }
        let time = config.sandbox.image_pull_timeout.get();
        Ok(Self {
            podman: podman.clone(),
            base: worker.imagebuilder_base.parse().ok(),
            origins,
            download: DownloadLimits { size: worker.imagebuilder_max_size.get(), time },
            unpacking: CommandLimits { time, silence: time, output: worker.max_output_size.get() },
            lifetime: config.making_lifetime(),
        })
    }

    /// The image that was made some time ago.
    pub(crate) async fn find(&self, wanted: &WantedImage) -> Result<Option<ImageId>, SandboxError> {
        match self.plan(wanted) {
            Some((origin, base)) => self.podman.image(&origin.name(wanted, base)).await,
            None => Ok(None),
        }
    }

    /// Makes the image; none if upstream has no ImageBuilder for it, or if it is not to be made here.
    pub(crate) async fn make(&self, wanted: &WantedImage) -> Result<Option<ImageId>, MakeError> {
        let Some((origin, base)) = self.plan(wanted) else { return Ok(None) };
        let directory = directory(wanted);
        let Some(archive) = find_archive(&origin.downloads, &directory, &origin.keys).await? else { return Ok(None) };
        tracing::info!(archive = archive.name, base = %base, "making an ImageBuilder image, the registry has none");
        let sandbox = self.start(self.base_image(base).await?).await?;
        self.fill(&sandbox, origin, &directory, &archive).await?;
        self.unpack(&sandbox).await?;
        // Another process may have been faster, and its image may be in use already.
        if let Some(image) = self.find(wanted).await? {
            return Ok(Some(image));
        }
        let name = origin.name(wanted, base);
        let labels = origin.labels(wanted, base, &archive.sha256);
        let image = sandbox.commit(&name, &labels.each_ref().map(|(key, value)| (*key, value.as_str()))).await?;
        tracing::info!(image = %name, "made an ImageBuilder image");
        Ok(Some(image))
    }

    /// Snapshots change from day to day, and their images fetch the ImageBuilder themselves.
    fn plan(&self, wanted: &WantedImage) -> Option<(&Origin, &ImageReference)> {
        let release = !wanted.version.is_snapshot();
        self.origins.get(&wanted.distro).zip(self.base.as_ref()).filter(|_| release)
    }

    async fn base_image(&self, base: &ImageReference) -> Result<ImageId, MakeError> {
        match self.podman.pull(base).await {
            Ok(image) => Ok(image),
            Err(error @ PullError::Unavailable { .. }) => match self.podman.image(base).await? {
                Some(image) => Ok(image),
                None => Err(MakeError::Base(error)),
            },
            Err(error) => Err(MakeError::Base(error)),
        }
    }

    async fn start(&self, base: ImageId) -> Result<Sandbox, SandboxError> {
        let spec = self.podman.spec(base, "asu-make", self.lifetime);
        self.podman.start(spec.network(Network::None).user(USER).workdir(BUILDER)).await
    }

    /// Brings the archive into the container. Nothing has looked into it before its digest is known.
    async fn fill(
        &self,
        sandbox: &Sandbox,
        origin: &Origin,
        directory: &str,
        archive: &ImageBuilderArchive,
    ) -> Result<(), MakeError> {
        let path = format!("{directory}/{}", archive.name);
        let failed = |source| MakeError::Upstream { path: path.clone(), source };
        let opened = origin.downloads.open(&path, self.download).await.map_err(failed)?;
        let download = opened.ok_or_else(|| MakeError::Missing { path: path.clone() })?;
        let size = download.size();
        let (reader, witness) = watch(download);
        let files = Files::owned_by(BUILDBOT).reader(ARCHIVE, 0o600, size, reader).expect("our own name is a path");
        let put = sandbox.put(BUILDER, files).await;
        match witness.fault() {
            Some(fault) => Err(failed(fault)),
            None => Ok(put?),
        }?;
        if witness.sha256() == archive.sha256 { Ok(()) } else { Err(MakeError::Digest { path }) }
    }

    /// tar sees by itself how the archive is compressed.
    async fn unpack(&self, sandbox: &Sandbox) -> Result<(), MakeError> {
        self.run(sandbox, "tar", &["--extract", "--strip-components=1", "--no-same-owner", "--file", ARCHIVE]).await?;
        self.run(sandbox, "rm", &["--", ARCHIVE]).await
    }

    async fn run(&self, sandbox: &Sandbox, program: &'static str, arguments: &[&str]) -> Result<(), MakeError> {
        let mut output = Captured::default();
        let command = Command::new(program, arguments.iter().copied(), self.unpacking);
        match sandbox.exec(&command, &mut output).await? {
            Outcome::Exit { code: 0 } => Ok(()),
            Outcome::Exit { code } => {
                let stderr = LogTail::of(&output, SHOWN).render().stderr;
                Err(MakeError::Unpack { program, code, stderr })
            }
            Outcome::Failed(failure) => Err(MakeError::Limit(failure)),
        }
    }
}
