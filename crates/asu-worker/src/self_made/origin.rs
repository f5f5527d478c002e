//! What the images of one distribution are made from, and what they are called.

use asu_core::UsignPublicKey;
use asu_sandbox::ImageReference;
use asu_upstream::Downloads;
use sha2::{Digest, Sha256};

use crate::{
    snapshot::{DISTRO, KIND, TARGET, VERSION},
    wanted_image::WantedImage,
};

/// What every name begins with: no registry is called so.
const REPOSITORY: &str = "localhost/asu/imagebuilder";
/// So many digits of the digest tell names apart.
const DIGITS: usize = 16;

/// Where the archives of a distribution come from, and who vouches for them.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    pub(crate) downloads: Downloads,
    pub(crate) upstream_url: String,
    pub(crate) keys: Vec<UsignPublicKey>,
}

impl Origin {
    /// The name of an image that is made of this base: another one for each thing that decides what is in it, so that one
    /// that was made with other settings is not taken for it.
    pub(crate) fn name(&self, wanted: &WantedImage, base: &ImageReference) -> ImageReference {
        let (target, version, digest) = (wanted.target.dashed(), &wanted.version, self.digest(wanted, base));
        let name = format!("{REPOSITORY}:{target}-{version}-{digest}");
        name.parse().expect("targets and versions are made of what may stand in a tag")
    }

    /// What is written on an image, so that whoever finds it knows what it is for. A digest of where it comes from: a URL
    /// may hold a password.
    pub(crate) fn labels(&self, wanted: &WantedImage, base: &ImageReference, archive: &str) -> [(&str, String); 6] {
        [
            (KIND, "imagebuilder".to_owned()),
            (DISTRO, wanted.distro.to_string()),
            (VERSION, wanted.version.to_string()),
            (TARGET, wanted.target.to_string()),
            ("asu.image.origin", self.digest(wanted, base)),
            ("asu.image.archive", archive.to_owned()),
        ]
    }

    fn digest(&self, wanted: &WantedImage, base: &ImageReference) -> String {
        let mut keys: Vec<_> = self.keys.iter().map(ToString::to_string).collect();
        keys.sort_unstable();
        let mut hasher = Sha256::new();
        for field in [wanted.distro.as_str(), &self.upstream_url, &wanted.path, base.as_str()] {
            hasher.update(format!("{}:{field}", field.len()));
        }
        hasher.update(keys.join(" "));
        let mut digits = hex::encode(hasher.finalize());
        digits.truncate(DIGITS);
        digits
    }
}
