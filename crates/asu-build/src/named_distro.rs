//! Which distribution a document is asked of: the one in the path, or else the built-in one.

use asu_core::Distro;
use asu_service::ApiError;
use axum::{
    extract::{FromRequestParts, RawPathParams},
    http::request::Parts,
};

use crate::error::BuildError;

/// The name of the path's segment that names the distribution.
const SEGMENT: &str = "distro";

/// An extractor; what is no name is the name of no distribution.
pub(crate) struct NamedDistro(pub(crate) Distro);

impl<S: Send + Sync> FromRequestParts<S> for NamedDistro {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let segments = RawPathParams::from_request_parts(parts, state).await;
        let segments = segments.map_err(|_| BuildError::UnknownDocument)?;
        match segments.iter().find(|(name, _)| *name == SEGMENT) {
            Some((_, text)) => Ok(Self(Distro::parse(text).map_err(|_| BuildError::UnknownDocument)?)),
            None => Ok(Self(Distro::openwrt())),
        }
    }
}
