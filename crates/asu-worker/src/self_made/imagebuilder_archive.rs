//! Which archive a release's ImageBuilder is in, as far as upstream's signature vouches for it.

use asu_core::{ImageBuilderArchive, Sha256Sums, UsignPublicKey, UsignSignature};
use asu_upstream::Downloads;

use super::error::MakeError;
use crate::wanted_image::WantedImage;

const SUMS: &str = "sha256sums";
const SIGNATURE: &str = "sha256sums.sig";

/// Where upstream keeps the files of an image's version and target.
pub(crate) fn directory(wanted: &WantedImage) -> String {
    format!("{}/targets/{}", wanted.path, wanted.target)
}

/// The archive in this directory; none if upstream has no ImageBuilder there.
pub(crate) async fn find_archive(
    downloads: &Downloads,
    directory: &str,
    keys: &[UsignPublicKey],
) -> Result<Option<ImageBuilderArchive>, MakeError> {
    let Some(sums) = fetch(downloads, &format!("{directory}/{SUMS}")).await? else { return Ok(None) };
    let signature_path = format!("{directory}/{SIGNATURE}");
    let signature = fetch(downloads, &signature_path).await?;
    let signature = signature.ok_or_else(|| MakeError::Missing { path: signature_path.clone() })?;
    let signature = UsignSignature::parse(&String::from_utf8_lossy(&signature))
        .map_err(|source| MakeError::Signature { path: signature_path, source })?;
    signature
        .verify(keys, &sums)
        .map_err(|source| MakeError::Untrusted { path: format!("{directory}/{SUMS}"), source })?;
    Ok(Sha256Sums::new(&String::from_utf8_lossy(&sums)).imagebuilder())
}

async fn fetch(downloads: &Downloads, path: &str) -> Result<Option<bytes::Bytes>, MakeError> {
    downloads.small(path).await.map_err(|source| MakeError::Upstream { path: path.to_owned(), source })
}
