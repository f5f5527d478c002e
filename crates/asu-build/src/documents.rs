//! Where the documents about versions are: of the built-in distribution, of the others, and for older clients.

use asu_core::Distro;
use asu_service::{ErrorBody, alias, describe_also};
use axum::routing::{MethodRouter, get};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        ContentBuilder, Ref, Required, Response, ResponseBuilder,
        path::{Operation, ParameterBuilder, ParameterIn},
    },
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    build::Build,
    overview::{self, get_branches, get_latest, get_overview},
    revision::{self, get_revision},
    version_documents::{get_version_document, version_documents},
};

const OVERVIEW: &str = "/json/v1/overview.json";
const BRANCHES: &str = "/json/v1/branches.json";
const LATEST: &str = "/json/v1/latest.json";
const REVISION: &str = "/api/v1/revision/{version}/{target}/{subtarget}";

/// All of them.
pub(crate) fn routes() -> OpenApiRouter<Build> {
    let router = OpenApiRouter::with_openapi(version_documents())
        .route("/json/v1/{*path}", get(get_version_document))
        .route("/json/v1/distros/{distro}/{*path}", get(get_version_document))
        .routes(routes!(overview::get_distros))
        .routes(routes!(overview::get_overview))
        .routes(routes!(overview::get_branches))
        .routes(routes!(overview::get_latest))
        .routes(routes!(revision::get_revision));
    of_distributions(for_older_clients(router))
}

/// Clients of all ages ask at different places and follow no redirect.
fn for_older_clients(router: OpenApiRouter<Build>) -> OpenApiRouter<Build> {
    let aliases: [(&str, &str, MethodRouter<Build>); 7] = [
        ("/api/v1/overview", OVERVIEW, get(get_overview)),
        ("/api/overview", OVERVIEW, get(get_overview)),
        ("/overview", OVERVIEW, get(get_overview)),
        ("/json/branches.json", BRANCHES, get(get_branches)),
        ("/json/latest.json", LATEST, get(get_latest)),
        ("/api/v1/latest", LATEST, get(get_latest)),
        ("/api/latest", LATEST, get(get_latest)),
    ];
    aliases.into_iter().fold(router, |router, (path, canonical, methods)| alias(router, path, canonical, methods))
}

/// The same documents of a distribution by its name.
fn of_distributions(router: OpenApiRouter<Build>) -> OpenApiRouter<Build> {
    let mut router = router
        .route("/json/v1/distros/{distro}/overview.json", get(get_overview))
        .route("/json/v1/distros/{distro}/branches.json", get(get_branches))
        .route("/json/v1/distros/{distro}/latest.json", get(get_latest))
        .route("/api/v1/distros/{distro}/revision/{version}/{target}/{subtarget}", get(get_revision));
    let document = router.get_openapi_mut();
    let described: Vec<_> =
        document.paths.paths.keys().filter_map(|path| Some((path.clone(), of_distribution(path)?))).collect();
    for (canonical, path) in described {
        describe_also(document, &path, &canonical, name_distribution);
    }
    router
}

/// Where the same document of a distribution is, if it is one that distributions have.
fn of_distribution(canonical: &str) -> Option<String> {
    match canonical {
        OVERVIEW | BRANCHES | LATEST => {}
        REVISION => return Some(canonical.replacen("/api/v1/", "/api/v1/distros/{distro}/", 1)),
        path if path.starts_with("/json/v1/{path}/") => {}
        _ => return None,
    }
    Some(canonical.replacen("/json/v1/", "/json/v1/distros/{distro}/", 1))
}

fn name_distribution(operation: &mut Operation) {
    let parameter = ParameterBuilder::new().name("distro").parameter_in(ParameterIn::Path);
    let parameter = parameter.description(Some("The distribution, as `distros.json` calls it."));
    let parameter = parameter.required(Required::True).schema(Some(Distro::schema())).example(Some("openwrt".into()));
    operation.parameters.get_or_insert_default().insert(0, parameter.build().into());
    let missing = Response::new("There is no such distribution, version, target or architecture.");
    let body = ContentBuilder::new().schema(Some(Ref::from_schema_name(ErrorBody::name()))).build();
    let missing = ResponseBuilder::from(missing).content("application/json", body).build();
    operation.responses.responses.insert("404".to_owned(), missing.into());
    let summary = operation.summary.take().unwrap_or_default();
    operation.summary = Some(format!("{summary} In a distribution by its name."));
}
