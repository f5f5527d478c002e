//! Where firmware comes from, as an in-toto statement about its images with SLSA's account of their build.
//!
//! What the fields mean here is written down in `docs/provenance-v1.md`, to which `buildType` leads.

mod origin;
mod predicate;
mod resource;
mod statement;

pub use origin::{BuildOrigin, BuildWorker, DigestOf, ImageBuilderImage, StoredSbom};
pub use statement::{Provenance, Statement};
