//! One build from its request to images that may be published: the order of the stages.

use asu_core::{BuildLog, BuildOrigin, BuildRequest, BuildResult, RequestHash, Stage};
use asu_queue::{Lease, LeaseError};
use asu_sandbox::Sandbox;
use asu_store::Staging;

use crate::{
    commands::Commands,
    detour::Detour,
    origin::origin_of,
    package_list::packages_to_build,
    stage_clock::StageClock,
    stages::{
        building_image::building_image,
        container_setup::{ensure_allowed, inject, release_builder},
        set_up::snapshot_builder,
        signing_images::signing_images,
        store_images::store_images,
        store_sbom::store_sbom,
        validate_manifest::validate_manifest,
        validate_revision::validate_revision,
    },
    stop::Stop,
    workshop::Workshop,
};

/// A build under way.
#[derive(Debug)]
pub(crate) struct Build<'a> {
    pub(crate) workshop: &'a Workshop,
    pub(crate) request: &'a BuildRequest,
    pub(crate) request_hash: &'a RequestHash,
    pub(crate) lease: &'a Lease,
    /// What is told of the build if it fails.
    pub(crate) journal: Journal,
    clock: StageClock,
}

/// What has been run so far, and what it printed last.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    /// The command that builds the images; empty until it is known.
    pub(crate) build_cmd: Vec<String>,
    /// What the latest command printed.
    pub(crate) log: BuildLog,
}

/// Images that are checked and not published yet.
#[derive(Debug)]
pub(crate) struct Product {
    /// Where they lie.
    pub(crate) staging: Staging,
    /// What is told of them.
    pub(crate) result: BuildResult,
    /// What they were made in; to be removed when there is time.
    pub(crate) sandbox: Sandbox,
}

/// Why there is no product.
#[derive(Debug)]
pub(crate) enum Unfinished {
    /// A stage ended the build.
    Stopped(Stop),
    /// The build belongs to somebody else, or nobody can tell.
    NotOurs(LeaseError),
}

impl From<Stop> for Unfinished {
    fn from(stop: Stop) -> Self {
        Self::Stopped(stop)
    }
}

impl<'a> Build<'a> {
    pub(crate) fn new(
        workshop: &'a Workshop,
        request: &'a BuildRequest,
        request_hash: &'a RequestHash,
        lease: &'a Lease,
    ) -> Self {
        let clock = StageClock::start(workshop.metrics.clone());
        Self { workshop, request, request_hash, lease, journal: Journal::default(), clock }
    }

    /// Runs every stage. Dropping the future ends the build: its container is removed, what is staged is deleted.
    pub(crate) async fn run(&mut self) -> Result<Product, Unfinished> {
        ensure_allowed(self)?;
        self.enter(Stage::ContainerSetup);
        let ready = match self.request.version.is_snapshot() {
            true => snapshot_builder(self).await?,
            false => release_builder(self).await?,
        };
        let origin = origin_of(self, &ready.image).await?;
        let detour = Detour::through(self.workshop.cache.clone());
        let (settings, log) = (&self.workshop.config.worker, self.lease.log());
        let commands = Commands::begin(&ready.sandbox, settings, log, &detour, ready.begun);
        inject(self, &ready.sandbox, commands).await?;
        self.enter(Stage::ValidateRevision);
        let info = validate_revision(self, &ready, commands).await?;
        let request = self.request;
        let packages = packages_to_build(&request.packages, request.diff_packages, &info, &request.profile);
        self.enter(Stage::ValidateManifest);
        let manifest = validate_manifest(self, commands, &packages).await?;
        self.enter(Stage::BuildingImage);
        building_image(self, commands, &packages, &manifest).await?;
        let (staging, mut result) = store_images(self, &ready.sandbox, &packages, manifest).await?;
        if let Some(key) = &self.workshop.signing_key {
            self.enter(Stage::SigningImages);
            signing_images(self, &ready.complete, key, &staging, &mut result).await?;
        }
        store_sbom(self, &staging, &mut result).await?;
        self.lease.verify().await.map_err(Unfinished::NotOurs)?;
        let stage_durations_ms = self.clock.durations_ms();
        result.provenance = Some(BuildOrigin { stage_durations_ms, ..origin });
        Ok(Product { staging, result, sandbox: ready.sandbox })
    }

    fn enter(&mut self, stage: Stage) {
        self.lease.set_stage(stage);
        self.clock.enter(stage);
    }
}
