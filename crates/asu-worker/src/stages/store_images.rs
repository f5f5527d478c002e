//! Getting the images out of the container, and making sure that they are the ones that were made.

use std::path::Path;

use asu_core::{BuildFailure, BuildResult, BuiltProfiles, Manifest, PackageSelector};
use asu_sandbox::{ExtractedFile, GetError, Sandbox};
use asu_store::{BinDir, Staging};

use crate::{
    build::Build,
    description::{Making, describe, verify_images},
    make,
    stages::building_image::oversize,
    stop::{Damage, Stop, Trouble},
};

pub(crate) const PROFILES_JSON: &str = "profiles.json";

/// The largest profiles.json that is read: real ones of one profile have some kilobytes.
const LARGEST_PROFILES_JSON: u64 = 1 << 20;

/// Copies what the build left into the store, where nobody sees it yet, and checks it against profiles.json.
pub(crate) async fn store_images(
    build: &mut Build<'_>,
    sandbox: &Sandbox,
    packages: &[PackageSelector],
    manifest: Manifest,
) -> Result<(Staging, BuildResult), Stop> {
    let workshop = build.workshop;
    let staging = workshop.store.begin(&bin_dir(build)).await?;
    let limits = workshop.config.worker.archive_limits();
    let fetched = sandbox.get(&make::bin_dir(build.request_hash), staging.path(), limits).await;
    let files = fetched.map_err(judge)?;
    let read = read_profiles(staging.path(), &files).await;
    let nothing_made = || oversize(&build.journal.log).map_or(BuildFailure::NoJson, BuildFailure::TooBig);
    let profiles = read.map_err(|damage| persistent(build, damage))?.ok_or_else(nothing_made)?;
    let making = Making {
        command: build.journal.build_cmd.clone(),
        packages: packages.to_vec(),
        manifest,
        log: build.journal.log.clone(),
    };
    let result = describe(build.request, staging.bin_dir(), &profiles, making).ok_or(BuildFailure::ProfileNotFound)?;
    check_images(build, &profiles, &files).map_err(|damage| persistent(build, damage))?;
    Ok((staging, result))
}

fn bin_dir(build: &Build<'_>) -> BinDir {
    BinDir::new(build.request_hash.as_str(), build.lease.attempt().as_str())
        .expect("a request's hash and an attempt's token have the digits that a directory's name needs")
}

fn judge(error: GetError) -> Stop {
    match error {
        // Nothing was made, although make did not mind.
        GetError::Missing { path: _ } => BuildFailure::NoJson.into(),
        GetError::Archive(fault) => BuildFailure::UnusableImages { reason: fault.to_string() }.into(),
        error @ (GetError::Broken(_) | GetError::Disk { .. } | GetError::Engine(_)) => Trouble::Fetch(error).into(),
    }
}

/// None if there is no such file.
async fn read_profiles(directory: &Path, files: &[ExtractedFile]) -> Result<Option<BuiltProfiles>, Damage> {
    let Some(file) = files.iter().find(|file| file.path == PROFILES_JSON) else { return Ok(None) };
    if file.size > LARGEST_PROFILES_JSON {
        return Err(Damage::TooLong { size: file.size });
    }
    let text = tokio::fs::read(directory.join(PROFILES_JSON)).await.map_err(Damage::Read)?;
    BuiltProfiles::parse(&text).map(Some).map_err(Damage::Profiles)
}

fn check_images(build: &Build<'_>, profiles: &BuiltProfiles, files: &[ExtractedFile]) -> Result<(), Damage> {
    let images = profiles.images(&build.request.profile).map_err(Damage::Images)?;
    verify_images(&images, files)
}

fn persistent(build: &Build<'_>, damage: Damage) -> Stop {
    judge_damage(damage, build.lease.postponed())
}

/// Images that come out damaged again and again were made so, unless it is our own disk that cannot be read.
fn judge_damage(damage: Damage, postponed: u32) -> Stop {
    let reason = damage.to_string();
    match damage {
        Damage::Read(_) | Damage::Sbom(_) => Trouble::Damaged(damage).into(),
        Damage::TooLong { .. }
        | Damage::Profiles(_)
        | Damage::Images(_)
        | Damage::Missing { .. }
        | Damage::Digest { .. } => {
            Stop::doubtful(postponed, Trouble::Damaged(damage), BuildFailure::UnusableImages { reason })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(content: &[u8], size: u64) -> Result<Option<BuiltProfiles>, Damage> {
        let directory = tempfile::TempDir::new().unwrap();
        std::fs::write(directory.path().join(PROFILES_JSON), content).unwrap();
        let file = ExtractedFile { path: PROFILES_JSON.to_owned(), size, sha256: String::new() };
        read_profiles(directory.path(), &[file]).await
    }

    #[tokio::test]
    async fn a_description_that_is_never_valid_fails_the_build_in_the_end() {
        for (content, size) in [(&b"{"[..], 1), (b"{}", LARGEST_PROFILES_JSON + 1)] {
            let damage = || async { read(content, size).await.unwrap_err() };
            assert!(matches!(judge_damage(damage().await, 0), Stop::Trouble(_)));
            let last = judge_damage(damage().await, u32::MAX);
            assert!(matches!(last, Stop::Failed(BuildFailure::UnusableImages { .. })), "{last:?}");
        }
    }

    #[tokio::test]
    async fn a_disk_that_cannot_be_read_is_never_the_requests_fault() {
        let file = ExtractedFile { path: PROFILES_JSON.to_owned(), size: 1, sha256: String::new() };
        let damage = read_profiles(Path::new("/nowhere"), &[file]).await.unwrap_err();
        assert!(matches!(judge_damage(damage, u32::MAX), Stop::Trouble(_)));
        assert!(read_profiles(Path::new("/nowhere"), &[]).await.unwrap().is_none());
    }
}
