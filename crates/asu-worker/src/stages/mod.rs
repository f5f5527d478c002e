//! The stages of a build, each a function of its own.

pub(crate) mod building_image;
pub(crate) mod container_setup;
pub(crate) mod set_up;
pub(crate) mod signing_images;
pub(crate) mod store_images;
pub(crate) mod store_sbom;
pub(crate) mod validate_manifest;
pub(crate) mod validate_revision;
