//! `POST /api/v1/build`: build this.

use asu_intake::{AcceptedRequest, Rules};
use asu_queue::{ClientKey, QueuedBuild};
use asu_service::{ApiError, ClientAddress, ErrorBody, RawBody, RequestContext};
use axum::{
    extract::{RawQuery, State},
    response::Response,
};

use crate::{
    answer::{BuildAnswer, Done, Failed},
    build::Build,
    error::BuildError,
    query::Query,
};

/// Build this, or tell how far it is.
///
/// A request that asks for a known build is answered as `GET /api/v1/build/{request_hash}` is.
#[utoipa::path(post, path = "/api/v1/build", tag = "builds",
    params(("skip_package_resolution" = Option<bool>, Query,
        description = "The request is one that prepare returned: the package rules are not applied again.")),
    request_body(content = ref("#/components/schemas/NewBuildRequest"), content_type = "application/json"),
    responses(
        (status = 200, description = "It is done: the images are in the store.", body = Done, headers(
                ("X-Imagebuilder-Status" = String, description = "`queued`, a stage, `done` or `failed`."),
                ("X-Queue-Position" = u64, description = "0 unless the build is queued."),
            )),
        (status = 202, description = "It waits or runs. Only a build that waits has `queue_position`.", body = BuildAnswer,
            headers(
                ("X-Imagebuilder-Status" = String, description = "`queued`, a stage, `done` or `failed`."),
                ("X-Queue-Position" = u64, description = "0 unless the build is queued."),
            )),
        (status = 400, description = "It names something that there is not, or that this server does not allow.",
            body = ErrorBody),
        (status = 408, description = "The body took too long to arrive.", body = ErrorBody),
        (status = 413, description = "The body is too large.", body = ErrorBody),
        (status = 415, description = "The body has a Content-Encoding.", body = ErrorBody),
        (status = 422, description = "It does not have the form of a request.",
            body = ref("#/components/schemas/InvalidRequest")),
        (status = 429, description = "Too many builds of this client wait, or it asked for too many within an hour.",
            body = ErrorBody, headers(("Retry-After" = u64, description = "In how many seconds it may ask again."))),
        (status = 500, description = "The build is known and there will be no images; `detail` says why.", body = Failed,
            headers(
                ("X-Imagebuilder-Status" = String, description = "`queued`, a stage, `done` or `failed`."),
                ("X-Queue-Position" = u64, description = "0 unless the build is queued."),
            )),
        (status = 503, description = "Redis or the store is away, or upstream's metadata cannot be had.", body = ErrorBody),
        (status = 529, description = "Too many builds wait.", body = ErrorBody,
            headers(("Retry-After" = u64, description = "In how many seconds to ask again."))),
    ),
)]
pub(crate) async fn post_build(
    State(build): State<Build>,
    RawQuery(query): RawQuery,
    context: RequestContext,
    ClientAddress(address): ClientAddress,
    RawBody(body): RawBody,
) -> Result<Response, ApiError> {
    let accepted = build.intake.accept(&body, rules(query.as_deref())).await.map_err(|error| {
        build.metrics.count_invalid(&error);
        BuildError::from(error)
    })?;
    let AcceptedRequest { request, request_hash, original_packages: _, changes: _ } = accepted;
    let queued = QueuedBuild {
        request,
        request_id: Some(context.id.to_string()),
        traceparent: Some(context.trace.child().to_string()),
    };
    let _turn = build.turns.of_post().await;
    build.submit(&ClientKey::of(address), &request_hash, queued).await
}

/// `?skip_package_resolution=true` says that the rules were applied before. Clients put anything else there too.
fn rules(query: Option<&str>) -> Rules {
    if Query::parse(query).says_yes("skip_package_resolution") { Rules::Skip } else { Rules::Apply }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_clear_yes_skips_the_rules() {
        for (query, expected) in [
            (None, Rules::Apply),
            (Some("1732373738123"), Rules::Apply),
            (Some("skip_package_resolution=true"), Rules::Skip),
            (Some("a=b&skip_package_resolution=1&1732373738123"), Rules::Skip),
            (Some("skip_package_resolution=True"), Rules::Skip),
            (Some("skip_package_resolution=false"), Rules::Apply),
            (Some("skip_package_resolution"), Rules::Apply),
        ] {
            assert_eq!(rules(query), expected, "{query:?}");
        }
    }
}
