//! Signing the images that devices verify, in a container of its own that reaches nobody and holds nothing of the request
//! but its images.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
};

use asu_config::ByteSize;
use asu_core::{BuildResult, BuiltImage, BuiltProfiles, Sha256Sums};
use asu_sandbox::{ArchiveLimits, Captured, ExtractedFile, Files, ImageId, Network, Sandbox};
use asu_store::Staging;
use sha2::{Digest, Sha256};
use tokio::{fs, time::Instant};

use crate::{
    build::Build,
    commands::Commands,
    description::without_ours,
    detour::Detour,
    injected_files::BUILDBOT,
    log_tail::LogTail,
    make::BUILDER,
    signing::{SignError, SigningCommand, SigningKey, Unsigned, check_signed, commands_of},
    stages::{container_setup::describe_container, store_images::PROFILES_JSON},
    stop::Stop,
};

/// The images whose signatures devices look at.
const SIGNED: [&str; 5] = ["sysupgrade", "factory", "combined", "combined-efi", "sdcard"];

const SHA256SUMS: &str = "sha256sums";
/// Some kilobytes are real; a client's packages were beside it when it was written.
const LARGEST_SUMS: u64 = 1 << 20;

/// Where the images are in the container, and below which name. In memory only, and no image is ever made of it: the key.
const DIRECTORY: &str = "signing";
const KEY_DIRECTORY: &str = "/signing-key";
const KEY: &str = "build.key";
const KEY_ROOM: ByteSize = ByteSize::new(64 * 1024);

/// More than a signature adds to an image.
const GROWTH: u64 = 64 * 1024;

/// So much of what a tool says that fails goes into our log.
const SHOWN: usize = 2048;

/// Signs what lies in the staging directory, and tells of it there and in the result.
pub(crate) async fn signing_images(
    build: &Build<'_>,
    image: &ImageId,
    key: &SigningKey,
    staging: &Staging,
    result: &mut BuildResult,
) -> Result<(), Stop> {
    let mut profiles = read_profiles(staging.path()).await?;
    let images = profiles.images(&build.request.profile).unwrap_or_default();
    let images: Vec<_> = images.into_iter().filter(|image| SIGNED.contains(&image.kind.as_str())).collect();
    if images.is_empty() {
        return Ok(());
    }
    let sandbox = start(build, image, key).await?;
    put_images(&sandbox, key, staging.path(), &images).await?;
    sign(build, &sandbox, key, images.len()).await?;
    let scratch = staging.path().join(format!(".{DIRECTORY}-{:016x}", rand::random::<u64>()));
    fs::create_dir(&scratch).await.map_err(SignError::Disk)?;
    let files = fetch(&sandbox, &scratch, staging.path(), &images).await?;
    drop(sandbox);
    let digests = replace(key, staging.path(), &scratch, &images, &files).await?;
    fs::remove_dir_all(&scratch).await.map_err(SignError::Disk)?;
    profiles.note_signed(&build.request.profile, &digests);
    note_digests(staging.path(), &profiles, digests).await.map_err(SignError::Disk)?;
    let metadata = profiles.metadata(&build.request.profile).unwrap_or_default();
    result.metadata = without_ours(metadata);
    Ok(())
}

/// It was checked when it came out of the build's container, and nobody but this process has it since.
async fn read_profiles(staging: &Path) -> Result<BuiltProfiles, SignError> {
    let text = fs::read(staging.join(PROFILES_JSON)).await.map_err(SignError::Disk)?;
    BuiltProfiles::parse(&text).map_err(SignError::Profiles)
}

/// A container of the same attempt, so that it goes when the attempt does.
async fn start(build: &Build<'_>, image: &ImageId, key: &SigningKey) -> Result<Sandbox, SignError> {
    let spec = describe_container(build, image).await.network(Network::None).tmpfs(KEY_DIRECTORY, KEY_ROOM);
    let sandbox = build.workshop.podman.start(spec).await?;
    let files = Files::owned_by(BUILDBOT).file(KEY, 0o400, key.secret().expose().to_owned());
    sandbox.put(KEY_DIRECTORY, files.expect("our own name is a path")).await?;
    Ok(sandbox)
}

/// Images go by their numbers: names may be longer than an archive's.
async fn put_images(
    sandbox: &Sandbox,
    key: &SigningKey,
    staging: &Path,
    images: &[BuiltImage],
) -> Result<(), SignError> {
    const VALID: &str = "numbers are paths";
    let mut files = Files::owned_by(BUILDBOT).directory(DIRECTORY, 0o755).expect(VALID);
    for (number, image) in images.iter().enumerate() {
        let file = fs::File::open(staging.join(&image.name)).await.map_err(SignError::Disk)?;
        let size = file.metadata().await.map_err(SignError::Disk)?.len();
        let path = format!("{DIRECTORY}/{number}");
        files = files.reader(&path, 0o644, size, file).expect(VALID);
        files = files.file(&format!("{path}.ucert"), 0o644, key.certificate().clone()).expect(VALID);
    }
    Ok(sandbox.put(BUILDER, files).await?)
}

/// The tools have the time of a build and its limits, but what they do is not the request's.
async fn sign(build: &Build<'_>, sandbox: &Sandbox, key: &SigningKey, count: usize) -> Result<(), Stop> {
    // Nothing is fetched, so that nothing goes through a cache.
    let (settings, detour) = (&build.workshop.config.worker, Detour::default());
    let commands = Commands::begin(sandbox, settings, build.lease.log(), &detour, Instant::now());
    for number in 0..count {
        let image = format!("{BUILDER}/{DIRECTORY}/{number}");
        for command in commands_of(&image, &format!("{KEY_DIRECTORY}/{KEY}")) {
            run(commands, &command, key).await?;
        }
    }
    Ok(())
}

async fn run(commands: Commands<'_>, command: &SigningCommand, key: &SigningKey) -> Result<(), Stop> {
    let mut output = Captured::default();
    let code = match commands.run(&command.argv, &[], &mut output).await {
        Ok(code) => code,
        Err(Stop::Failed(failure)) => return Err(SignError::Limit(failure).into()),
        Err(trouble @ Stop::Trouble(_)) => return Err(trouble),
    };
    match code {
        0 => Ok(()),
        1 if command.may_find_nothing => Ok(()),
        _ => {
            let stderr = key.secret().redact(&LogTail::of(&output, SHOWN).render().stderr);
            Err(SignError::Tool { program: command.program, code, stderr }.into())
        }
    }
}

async fn fetch(
    sandbox: &Sandbox,
    scratch: &Path,
    staging: &Path,
    images: &[BuiltImage],
) -> Result<BTreeMap<String, ExtractedFile>, SignError> {
    let mut bytes = GROWTH;
    for image in images {
        bytes += fs::metadata(staging.join(&image.name)).await.map_err(SignError::Disk)?.len() + GROWTH;
    }
    // Of each image there are three files; besides them, the directory.
    let limits = ArchiveLimits { bytes, entries: 3 * images.len() + 1, depth: 1 };
    let files = sandbox.get(&format!("{BUILDER}/{DIRECTORY}"), scratch, limits).await.map_err(SignError::Fetch)?;
    Ok(files.into_iter().map(|file| (file.path.clone(), file)).collect())
}

/// Every signed image takes the place of the other; answers the digests by name.
async fn replace(
    key: &SigningKey,
    staging: &Path,
    scratch: &Path,
    images: &[BuiltImage],
    files: &BTreeMap<String, ExtractedFile>,
) -> Result<BTreeMap<String, String>, SignError> {
    let mut digests = BTreeMap::new();
    for (number, image) in images.iter().enumerate() {
        let unsigned = |source| SignError::Unsigned { name: image.name.clone(), source };
        let file = files.get(&number.to_string()).ok_or_else(|| unsigned(Unsigned::Missing))?;
        let (original, signed) = (staging.join(&image.name), scratch.join(&file.path));
        check(&original, &signed, key).await?.map_err(unsigned)?;
        fs::rename(&signed, &original).await.map_err(SignError::Disk)?;
        digests.insert(image.name.clone(), file.sha256.clone());
    }
    Ok(digests)
}

async fn check(original: &Path, signed: &Path, key: &SigningKey) -> Result<Result<(), Unsigned>, SignError> {
    let (original, signed, key): (PathBuf, PathBuf, SigningKey) = (original.into(), signed.into(), key.clone());
    let checked = tokio::task::spawn_blocking(move || check_signed(&original, &signed, &key)).await;
    checked.unwrap_or_else(|error| Err(io::Error::other(error))).map_err(SignError::Disk)
}

/// The files that describe the images say what the images are now.
async fn note_digests(
    staging: &Path,
    profiles: &BuiltProfiles,
    mut digests: BTreeMap<String, String>,
) -> io::Result<()> {
    let text = profiles.render();
    digests.insert(PROFILES_JSON.to_owned(), hex::encode(Sha256::digest(&text)));
    fs::write(staging.join(PROFILES_JSON), text).await?;
    let path = staging.join(SHA256SUMS);
    match fs::metadata(&path).await {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Ok(metadata) if metadata.len() > LARGEST_SUMS => return Err(io::Error::other("sha256sums is too large")),
        Ok(_) | Err(_) => {}
    }
    let sums = fs::read(&path).await?;
    fs::write(&path, Sha256Sums::new(&String::from_utf8_lossy(&sums)).with_digests(&digests)).await
}
