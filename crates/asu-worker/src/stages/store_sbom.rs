//! Listing what is in the images, in a file beside them.

use std::{io, path::Path};

use asu_core::{BuildFailure, BuildResult, Sbom, StoredSbom};
use asu_store::Staging;
use sha2::{Digest, Sha256};
use tokio::{
    fs::{File, OpenOptions},
    io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt},
};

use crate::{
    build::Build,
    run::SERVICE,
    stop::{Damage, Stop, Trouble},
};

/// Digests of all files of a build, a line each, as `sha256sum` reads them.
const SHA256SUMS: &str = "sha256sums";

/// Describes the images as they lie in the staging directory: to be called when nothing changes them any more.
pub(crate) async fn store_sbom(build: &Build<'_>, staging: &Staging, result: &mut BuildResult) -> Result<(), Stop> {
    let sbom = Sbom::of(build.request_hash, build.request, result, (SERVICE.name, SERVICE.version));
    let text = sbom.render();
    let sha256 = hex::encode(Sha256::digest(&text));
    write(staging.path(), &text, &sha256).await.map_err(judge)?;
    result.sbom = Some(StoredSbom { name: Sbom::FILE_NAME.to_owned(), sha256 });
    Ok(())
}

async fn write(directory: &Path, text: &str, sha256: &str) -> io::Result<()> {
    // Never over something that came out of the container.
    let mut file = File::create_new(directory.join(Sbom::FILE_NAME)).await?;
    file.write_all(text.as_bytes()).await?;
    file.flush().await?;
    add_line(&directory.join(SHA256SUMS), &format!("{sha256} *{}\n", Sbom::FILE_NAME)).await
}

/// The file came out of the container, too, and need not end with a whole line.
async fn add_line(path: &Path, line: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().read(true).append(true).create(true).open(path).await?;
    let mut last = [b'\n'];
    if file.seek(io::SeekFrom::End(0)).await? > 0 {
        file.seek(io::SeekFrom::End(-1)).await?;
        file.read_exact(&mut last).await?;
    }
    let line = if last == [b'\n'] { line.to_owned() } else { format!("\n{line}") };
    file.write_all(line.as_bytes()).await?;
    file.flush().await
}

/// Names that are taken were taken by what the build wrote; anything else is our own disk's fault.
fn judge(error: io::Error) -> Stop {
    if !matches!(error.kind(), io::ErrorKind::AlreadyExists | io::ErrorKind::IsADirectory) {
        return Trouble::Damaged(Damage::Sbom(error)).into();
    }
    let reason = format!("they come with a {} or a directory {SHA256SUMS} of their own", Sbom::FILE_NAME);
    BuildFailure::UnusableImages { reason }.into()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;

    fn failure(error: io::Error) -> Option<&'static str> {
        match judge(error) {
            Stop::Failed(failure) => Some(failure.kind()),
            Stop::Trouble(_) => None,
        }
    }

    #[tokio::test]
    async fn the_list_of_checksums_gets_a_line() {
        for (before, after) in [
            (Some("00 *a.bin\n"), "00 *a.bin\n11 *bom.cdx.json\n"),
            (Some("00 *a.bin"), "00 *a.bin\n11 *bom.cdx.json\n"),
            (Some(""), "11 *bom.cdx.json\n"),
            (None, "11 *bom.cdx.json\n"),
        ] {
            let directory = TempDir::new().unwrap();
            let sums = directory.path().join(SHA256SUMS);
            if let Some(text) = before {
                fs::write(&sums, text).unwrap();
            }
            write(directory.path(), "{}", "11").await.unwrap();
            assert_eq!(fs::read_to_string(&sums).unwrap(), after);
            assert_eq!(fs::read_to_string(directory.path().join(Sbom::FILE_NAME)).unwrap(), "{}");
        }
    }

    #[tokio::test]
    async fn what_the_build_wrote_is_never_replaced() {
        let directory = TempDir::new().unwrap();
        fs::write(directory.path().join(Sbom::FILE_NAME), "theirs").unwrap();
        let error = write(directory.path(), "{}", "11").await.unwrap_err();
        assert_eq!(failure(error), Some("unusable_images"));
        assert_eq!(fs::read_to_string(directory.path().join(Sbom::FILE_NAME)).unwrap(), "theirs");
        let directory = TempDir::new().unwrap();
        fs::create_dir(directory.path().join(SHA256SUMS)).unwrap();
        assert_eq!(failure(write(directory.path(), "{}", "11").await.unwrap_err()), Some("unusable_images"));
    }

    #[tokio::test]
    async fn a_disk_that_cannot_be_written_is_not_the_requests_fault() {
        let error = write(Path::new("/nowhere"), "{}", "11").await.unwrap_err();
        assert_eq!(failure(error), None);
    }
}
