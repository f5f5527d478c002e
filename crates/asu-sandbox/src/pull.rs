//! Fetching an image, and telling a missing image from a missing registry.

use futures::StreamExt;
use podman_api::opts::{PullOpts, PullPolicy};

use crate::{
    error::SandboxError,
    image::{ImageId, ImageReference},
    podman::{Podman, within},
};

const ACTION: &str = "pull an image";

/// What registries and Podman say of an image that is not there. A registry that hides which images it has says
/// `denied`; ghcr.io says so by a 403 to the request for a token.
const NOT_THERE: [&str; 9] = [
    "manifest unknown",
    "name unknown",
    "name invalid",
    "repository name not known to registry",
    "not found",
    "access to the requested resource is not authorized",
    "access to the resource is denied",
    "status code from registry 403",
    "status code from registry 404",
];

/// What Podman says when a program of its own is missing, which asks for passwords for example: no word of a registry.
const PROGRAM_MISSING: &str = "executable file not found";

/// Why there is no image.
#[derive(Debug, thiserror::Error)]
pub enum PullError {
    /// The registry answered that it has no such image, or that we may not see it.
    #[error("the registry has no image {image}")]
    NotFound {
        /// What was asked for.
        image: ImageReference,
    },
    /// The registry or the way to it is broken: to be tried again.
    #[error("cannot pull {image}: {message}")]
    Unavailable {
        /// What was asked for.
        image: ImageReference,
        /// Podman's words.
        message: String,
    },
    /// Podman itself is broken.
    #[error(transparent)]
    Engine(#[from] SandboxError),
}

impl Podman {
    /// Fetches an image from its registry, or only its manifest if nothing is new.
    ///
    /// # Errors
    /// See [`PullError`].
    pub async fn pull(&self, image: &ImageReference) -> Result<ImageId, PullError> {
        let limit = self.config().image_pull_timeout.get();
        match within(ACTION, limit, self.reports(image)).await {
            Ok(Report::Image(id)) => id.parse().map_err(|bad| crate::image::garbled(ACTION, bad).into()),
            Ok(Report::Failure(message)) => Err(classify(image, message)),
            Err(error) => Err(self.refused(image, error).await),
        }
    }

    /// Podman answers 200 and tells of failures in its reports. The last report that says something counts.
    async fn reports(&self, image: &ImageReference) -> podman_api::Result<Report> {
        let options = PullOpts::builder().reference(image.as_str()).policy(PullPolicy::Always).quiet(true).build();
        let images = self.api().images();
        let mut reports = images.pull(&options);
        let mut last = Report::Failure("Podman told neither an image nor a failure".to_owned());
        while let Some(report) = reports.next().await {
            let report = report?;
            if let Some(message) = report.error {
                last = Report::Failure(message);
            } else if let Some(id) = report.id {
                last = Report::Image(id);
            }
        }
        Ok(last)
    }

    /// A pull that takes too long is the registry's fault as long as Podman answers otherwise.
    async fn refused(&self, image: &ImageReference, error: SandboxError) -> PullError {
        if let Some(refusal) = error.refusal() {
            return classify(image, refusal.message.clone());
        }
        if matches!(error, SandboxError::NoAnswer { .. }) && self.ping().await.is_ok() {
            return PullError::Unavailable { image: image.clone(), message: error.to_string() };
        }
        PullError::Engine(error)
    }
}

enum Report {
    Image(String),
    Failure(String),
}

fn classify(image: &ImageReference, message: String) -> PullError {
    let image = image.clone();
    let lower = message.to_lowercase();
    if NOT_THERE.iter().any(|words| lower.contains(words)) && !lower.contains(PROGRAM_MISSING) {
        PullError::NotFound { image }
    } else {
        PullError::Unavailable { image, message }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_image_is_told_from_a_missing_registry() {
        let image: ImageReference = "ghcr.io/openwrt/imagebuilder:x".parse().unwrap();
        for message in [
            "initializing source docker://127.0.0.1:5000/a:b: reading manifest b in 127.0.0.1:5000/a: manifest unknown: manifest unknown",
            "reading manifest b in 127.0.0.1:5000/a: name unknown: repository name not known to registry",
            "initializing source docker://ghcr.io/openwrt/nope:x: Requesting bearer token: invalid status code from registry 403 (Forbidden)",
            "errors:\ndenied: requested access to the resource is denied\nunauthorized: authentication required",
        ] {
            assert!(matches!(classify(&image, message.to_owned()), PullError::NotFound { .. }), "{message}");
        }
        for message in [
            "pinging container registry 127.0.0.1:1: Get \"http://127.0.0.1:1/v2/\": dial tcp 127.0.0.1:1: connect: connection refused",
            "received unexpected HTTP status: 503 Service Unavailable",
            "toomanyrequests: You have reached your pull rate limit",
            "dial tcp: lookup ghcr.io on 127.0.0.53:53: no such host",
            "error getting credentials: exec: \"docker-credential-x\": executable file not found in $PATH",
            "writing blob: storing blob to file \"/var/tmp/storage1\": write: no space left on device",
        ] {
            assert!(matches!(classify(&image, message.to_owned()), PullError::Unavailable { .. }), "{message}");
        }
    }
}
