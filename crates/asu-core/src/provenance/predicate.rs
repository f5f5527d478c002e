//! SLSA's account of a build. <https://slsa.dev/spec/v1.0/provenance>

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::resource::ResourceDescriptor;
use crate::BuildRequest;

/// How a build came about.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ProvenancePredicate)]
pub(super) struct Predicate {
    /// What went in.
    pub(super) build_definition: BuildDefinition,
    /// What happened.
    pub(super) run_details: RunDetails,
}

/// What went into a build.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ProvenanceBuildDefinition)]
pub(super) struct BuildDefinition {
    /// Leads to the description of what follows.
    pub(super) build_type: &'static str,
    /// The request, which is all that a client decides.
    pub(super) external_parameters: BuildRequest,
    /// What this server decides.
    pub(super) internal_parameters: InternalParameters,
    /// What was fetched for the build, as far as it is known.
    pub(super) resolved_dependencies: Vec<ResourceDescriptor>,
}

/// What this server makes of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ProvenanceInternalParameters)]
pub(super) struct InternalParameters {
    /// The name of the build.
    pub(super) request_hash: String,
    /// The command that made the images, as an argument list.
    pub(super) build_cmd: Vec<String>,
}

/// What happened during a build.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ProvenanceRunDetails)]
pub(super) struct RunDetails {
    /// Who vouches for all this.
    pub(super) builder: Builder,
    /// The attempt that made the images.
    pub(super) metadata: Metadata,
    /// What was made beside the images.
    pub(super) byproducts: Vec<ResourceDescriptor>,
}

/// Who built it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ProvenanceBuilder)]
pub(super) struct Builder {
    /// The name of the server.
    pub(super) id: String,
    /// The versions of its programs.
    pub(super) version: BTreeMap<String, String>,
}

/// One attempt at a build.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ProvenanceMetadata)]
pub(super) struct Metadata {
    /// Names the attempt; two never have the same.
    pub(super) invocation_id: String,
    /// When it began, in UTC.
    #[schema(example = "2026-01-31T23:48:37.000000Z")]
    pub(super) started_on: String,
    /// When it ended, in UTC.
    #[schema(example = "2026-01-31T23:49:12.000000Z")]
    pub(super) finished_on: String,
    /// The name of the worker.
    #[serde(rename = "asu_worker", skip_serializing_if = "Option::is_none")]
    pub(super) worker: Option<String>,
    /// How long each stage took, in milliseconds, by its name.
    #[serde(rename = "asu_stageDurationsMs", skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(required = false)]
    pub(super) stage_durations_ms: BTreeMap<String, u64>,
}
