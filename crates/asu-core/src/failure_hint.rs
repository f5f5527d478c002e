//! What the user of a failed build can do about it, where a remedy is known.

use crate::{
    build_failure::BuildFailure, build_request::BuildRequest, filesystem::Filesystem, oversize::Oversize,
    repository::RepositoriesMode,
};

/// Failures that say nothing of the request, as far as anybody knows.
const AGAIN: &str = "Try again in some hours. If it fails in the same way, tell who runs this server.";
const FEWER: &str = "ask for fewer packages: a default package is left out by a `-` before its name";

impl BuildFailure {
    /// A sentence or two beside the text of the failure. `largest_rootfs` is what the server allows as
    /// `rootfs_size_mb`.
    pub fn hint(&self, request: &BuildRequest, largest_rootfs: u32) -> String {
        match self {
            Self::IncorrectVersion { built, requested: _ } => format!(
                "The version is {built} by now. Look for updates again, or leave `version_code` out."
            ),
            Self::NotInManifest { .. } => "The package is provided by another one or was removed. Leave it out of \
                                           `packages_versions`, or ask for it in `packages`."
                .to_owned(),
            Self::OtherVersion { package, built, .. } => format!(
                "{package} is published as {built} by now. Look for updates again, or leave it out of \
                 `packages_versions`."
            ),
            Self::ImpossiblePackages { missing, conflicts } => impossible(request, missing, conflicts),
            Self::RepositoryNotAllowed { .. } => {
                "Leave the repository out, or ask who runs this server to allow it.".to_owned()
            }
            Self::RepositoryUnavailable { .. } => "See whether the address is right, and whether the repository has \
                                                   packages for this version and architecture. If it does, try again later."
                .to_owned(),
            Self::RepositoryUntrusted { .. } => "Put the public key of the repository into `repository_keys`. If it is \
                                                 there, the repository may be changing: try again later."
                .to_owned(),
            Self::TooBig(oversize) => too_big(oversize, request, largest_rootfs),
            Self::ImageBuilder => image_builder(request),
            Self::ImageNotFound { .. } => "Try again in some hours, or ask for another version.".to_owned(),
            Self::Setup { .. } => "The version may be about to be published. Try again in an hour.".to_owned(),
            Self::NoJson => format!("No image was made. The end of `stdout` and `stderr` may say why; else {FEWER}."),
            Self::ProfileNotFound => "No image was made for this profile. Ask for another profile, or another version."
                .to_owned(),
            Self::Timeout { .. } | Self::NoOutput { .. } => {
                format!("Fewer packages and a smaller root filesystem are built in less time. {AGAIN}")
            }
            Self::TooMuchOutput { .. } => format!("The end of `stdout` and `stderr` may say why. {AGAIN}"),
            Self::OutOfMemory => "Ask for fewer packages, or for a smaller `rootfs_size_mb`.".to_owned(),
            Self::UnusableImages { .. } => {
                "If the images are too large, ask for fewer packages, or for a smaller `rootfs_size_mb`.".to_owned()
            }
            Self::Cancelled => "Ask again later; if it happens again, ask who runs this server why.".to_owned(),
            Self::GaveUp { .. } => AGAIN.to_owned(),
        }
    }
}

fn impossible(request: &BuildRequest, missing: &[String], conflicts: &[String]) -> String {
    let mut hints = Vec::new();
    if !missing.is_empty() {
        hints.push("The missing packages, or what they need, do not exist in this version: leave them out.");
    }
    if !missing.is_empty() && !request.repositories.is_empty() && request.repositories_mode == RepositoriesMode::Replace
    {
        hints.push("Only the repositories of the request are used: `repositories_mode` `append` keeps the others.");
    }
    if !conflicts.is_empty() {
        hints.push(
            "Only one of the conflicting packages can stay: a default package is left out by a `-` before its name.",
        );
    }
    hints.join(" ")
}

fn too_big(oversize: &Oversize, request: &BuildRequest, largest_rootfs: u32) -> String {
    let what = oversize.what.as_deref();
    let fact = match oversize {
        Oversize { size: Some(size), limit: Some(limit), .. } => {
            format!("{} has {size} bytes, and there is room for {limit}. ", what.unwrap_or("An image"))
        }
        Oversize { excess: Some(excess), .. } => format!("The image is {excess} bytes too large. "),
        Oversize { limit: Some(limit), .. } => {
            format!("{} is larger than the {limit} bytes that there is room for. ", what.unwrap_or("An image"))
        }
        Oversize { is_partition: true, .. } => {
            format!("{} is larger than its partition. ", what.unwrap_or("The root filesystem"))
        }
        Oversize { .. } => String::new(),
    };
    let mut remedies = Vec::new();
    if oversize.is_partition && request.rootfs_size_mb.is_none_or(|size| size < largest_rootfs) {
        remedies.push(format!("ask for a larger `rootfs_size_mb` (up to {largest_rootfs} here)"));
    }
    if oversize.is_partition && request.filesystem != Some(Filesystem::Squashfs) {
        remedies.push("ask for the `filesystem` `squashfs`, which is compressed".to_owned());
    }
    remedies.push(FEWER.to_owned());
    fact + &sentence(&remedies.join("; or "))
}

fn image_builder(request: &BuildRequest) -> String {
    let log = "The end of `stdout` and `stderr` says what failed.";
    match request.filesystem {
        Some(filesystem) => format!("{log} The target may not have the filesystem {filesystem}: try it without."),
        None => log.to_owned(),
    }
}

fn sentence(text: &str) -> String {
    let (first, rest) = text.split_at(text.chars().next().map_or(0, char::len_utf8));
    format!("{}{rest}.", first.to_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        names::RepositoryName,
        parse_request::{RequestForm, RequestLimits},
        repository::RepositoryUrl,
    };

    const LIMITS: RequestLimits = RequestLimits {
        packages: 10,
        name_length: 100,
        defaults_length: 100,
        rootfs_size_mb: 1024,
        repositories: 10,
        repository_keys: 10,
        repository_key_size: 1000,
    };

    fn request() -> BuildRequest {
        let body = br#"{"version": "24.10.4", "target": "x86/64", "profile": "generic"}"#;
        BuildRequest::parse(body, RequestForm::Prepared, &LIMITS).unwrap()
    }

    fn check(failure: &BuildFailure, request: &BuildRequest, expected: &str) {
        assert_eq!(failure.hint(request, 1024), expected);
    }

    #[test]
    fn a_full_partition_can_be_made_larger_up_to_what_the_server_allows() {
        let what = Some("root.ext4".to_owned());
        let full = BuildFailure::TooBig(Oversize { what, is_partition: true, ..Oversize::default() });
        let all = "root.ext4 is larger than its partition. Ask for a larger `rootfs_size_mb` (up to 1024 here); or ask \
                   for the `filesystem` `squashfs`, which is compressed; or ask for fewer packages: a default package is \
                   left out by a `-` before its name.";
        check(&full, &request(), all);
        let mut largest = request();
        (largest.rootfs_size_mb, largest.filesystem) = (Some(1024), Some(Filesystem::Squashfs));
        let only = "root.ext4 is larger than its partition. Ask for fewer packages: a default package is left out by a \
                    `-` before its name.";
        check(&full, &largest, only);
    }

    #[test]
    fn an_image_that_is_too_large_for_the_flash_is_told_with_its_sizes() {
        let what = Some("x-sysupgrade.bin".to_owned());
        let image = Oversize { what, size: Some(9), limit: Some(8), ..Oversize::default() };
        let fewer = "Ask for fewer packages: a default package is left out by a `-` before its name.";
        let sizes = format!("x-sysupgrade.bin has 9 bytes, and there is room for 8. {fewer}");
        check(&BuildFailure::TooBig(image), &request(), &sizes);
        check(&BuildFailure::TooBig(Oversize::default()), &request(), fewer);
        let excess = Oversize { excess: Some(7), ..Oversize::default() };
        check(&BuildFailure::TooBig(excess), &request(), &format!("The image is 7 bytes too large. {fewer}"));
    }

    #[test]
    fn packages_that_are_missing_may_be_in_the_repositories_that_were_replaced() {
        let failure = BuildFailure::ImpossiblePackages { missing: vec!["vim".to_owned()], conflicts: Vec::new() };
        let missing = "The missing packages, or what they need, do not exist in this version: leave them out.";
        check(&failure, &request(), missing);
        let mut replacing = request();
        let url = RepositoryUrl::parse("https://my.org/x").unwrap();
        replacing.repositories.insert(RepositoryName::parse("mine").unwrap(), url);
        let hint = failure.hint(&replacing, 1024);
        assert!(hint.starts_with(missing) && hint.contains("`append`"), "{hint}");
    }
}
