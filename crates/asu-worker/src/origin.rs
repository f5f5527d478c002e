//! What a build notes of how and where it was made.

use asu_core::{BuildOrigin, BuildWorker, DigestOf, ImageBuilderImage};
use asu_sandbox::{ImageDigest, ImageId};

use crate::{
    build::Build,
    run::SERVICE,
    stages::container_setup::{source, wanted_image},
    stop::Stop,
    wanted_image::WantedImage,
};

/// Which ImageBuilder makes the images of a build, and who runs it. How long the stages took is not known yet.
pub(crate) async fn origin_of(build: &Build<'_>, image: &ImageId) -> Result<BuildOrigin, Stop> {
    let WantedImage { name, path, target, .. } = wanted_image(build)?;
    let (digest, digest_of) = match build.workshop.images.digest(&name, image).await? {
        ImageDigest::Registry(digest) => (digest, DigestOf::RegistryManifest),
        ImageDigest::Local(id) => (format!("sha256:{id}"), DigestOf::LocalImage),
    };
    let upstream_url = source(build)?.upstream_url;
    Ok(BuildOrigin {
        imagebuilder_image: ImageBuilderImage { name, digest, digest_of },
        upstream_url: format!("{}/{path}/targets/{target}", upstream_url.trim_end_matches('/')),
        worker: BuildWorker { name: build.workshop.identity.name().to_string(), version: SERVICE.version.to_owned() },
        stage_durations_ms: Default::default(),
    })
}
