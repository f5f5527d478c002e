//! `POST /api/v1/build`: build this.

use asu_intake::{AcceptedRequest, Rules};
use asu_queue::QueuedBuild;
use asu_service::{ApiError, RawBody, RequestContext};
use axum::{
    extract::{RawQuery, State},
    response::Response,
};

use crate::{build::Build, error::BuildError};

pub(crate) async fn post_build(
    State(build): State<Build>,
    RawQuery(query): RawQuery,
    context: RequestContext,
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
    build.submit(&request_hash, queued).await
}

/// `?skip_package_resolution=true` says that the rules were applied before. Clients put anything else there too.
fn rules(query: Option<&str>) -> Rules {
    let says_yes = |value: &str| matches!(&*value.to_ascii_lowercase(), "true" | "t" | "yes" | "y" | "on" | "1");
    let skips = url::form_urlencoded::parse(query.unwrap_or_default().as_bytes())
        .any(|(key, value)| key == "skip_package_resolution" && says_yes(&value));
    if skips { Rules::Skip } else { Rules::Apply }
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
