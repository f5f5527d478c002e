//! How a statement names a thing.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

/// A thing that a build made or needed, as in-toto describes one: at least one of `uri`, `digest` and `content` is there.
/// <https://github.com/in-toto/attestation/blob/main/spec/v1/resource_descriptor.md>
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ResourceDescriptor {
    /// What it is called here.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) name: String,
    /// What it is called everywhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) uri: Option<String>,
    /// Digests of its content, by algorithm.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(required = false)]
    pub(super) digest: BTreeMap<String, String>,
    /// Its content in base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) content: Option<String>,
    /// Where to fetch it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) download_location: Option<String>,
    /// What kind of content it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) media_type: Option<String>,
    /// What else there is to say about it.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(required = false)]
    pub(super) annotations: BTreeMap<String, String>,
}

impl ResourceDescriptor {
    pub(super) fn named(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    pub(super) fn with_uri(mut self, uri: impl Into<String>) -> Self {
        self.uri = Some(uri.into());
        self
    }

    pub(super) fn with_sha256(mut self, digits: &str) -> Self {
        self.digest.insert("sha256".to_owned(), digits.to_owned());
        self
    }

    pub(super) fn with_media_type(mut self, media_type: &str) -> Self {
        self.media_type = Some(media_type.to_owned());
        self
    }

    pub(super) fn with_annotation(mut self, key: &str, value: &str) -> Self {
        self.annotations.insert(key.to_owned(), value.to_owned());
        self
    }

    /// True if it says what it is about.
    pub(super) fn is_definite(&self) -> bool {
        self.uri.is_some() || self.content.is_some() || !self.digest.is_empty()
    }
}
