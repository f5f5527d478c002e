//! What a service says about its own API: `/openapi.json`, and pages to read it on, `/docs` and `/redoc`.

use std::sync::Arc;

use axum::{
    Router,
    extract::{Path, rejection::PathRejection},
    http::{
        HeaderValue,
        header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
    routing::{MethodRouter, get},
};
use bytes::Bytes;
use serde_json::Value;
use utoipa::openapi::{Deprecated, Info, LicenseBuilder, OpenApi, path::Operation};
use utoipa_axum::router::OpenApiRouter;
use utoipa_swagger_ui::Config;

use crate::{api_error::ApiError, service::Service};

const LICENCE: &str = "GPL-2.0-or-later";

/// Where the document is.
const OPENAPI_JSON: &str = "/openapi.json";

/// Both programs set the styles of their elements; all else comes from here, or from nowhere.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; \
     connect-src 'self'; worker-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// The files of the pages change with the program only.
const FOR_A_DAY: HeaderValue = HeaderValue::from_static("public, max-age=86400");

const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
const JAVASCRIPT: HeaderValue = HeaderValue::from_static("text/javascript; charset=utf-8");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

const SWAGGER_UI: &str = include_str!("../static/docs.html");
const REDOC: &str = include_str!("../static/redoc.html");
const REDOC_JS: &[u8] = include_bytes!("../static/redoc/redoc.standalone.js");

/// Adds the description of its routes to a service's router.
///
/// `adapt` completes the document by what only the settings tell.
///
/// # Errors
/// A document that cannot be rendered, which is a bug.
pub fn documented<S: Clone + Send + Sync + 'static>(
    router: OpenApiRouter<S>,
    service: &Service,
    adapt: impl FnOnce(&mut Value),
) -> serde_json::Result<Router<S>> {
    let (router, mut document) = router.split_for_parts();
    document.info = Info::new(service.name, service.version);
    document.info.description = Some(service.about.to_owned());
    document.info.license = Some(LicenseBuilder::new().name(LICENCE).identifier(Some(LICENCE)).build());
    let mut document = serde_json::to_value(document)?;
    adapt(&mut document);
    let json = Bytes::from(serde_json::to_vec_pretty(&document)?);
    // Nobody else is asked what they think of the document.
    let swagger_ui = Arc::new(Config::from(OPENAPI_JSON).validator_url("none"));
    Ok(router
        .route(OPENAPI_JSON, get(|| async { file(json, JSON) }))
        .route("/docs", get(|| async { page(SWAGGER_UI) }))
        .route("/docs/{file}", get(|path| get_swagger_file(path, swagger_ui)))
        .route("/redoc", get(|| async { page(REDOC) }))
        .route("/redoc/redoc.js", get(|| async { lasting(file(Bytes::from_static(REDOC_JS), JAVASCRIPT)) })))
}

/// Another path of an endpoint that is described, for clients that know no other.
///
/// # Panics
/// Nothing is described at `canonical`: a mistake in a table of routes, which every start would show.
#[must_use]
pub fn alias<S: Clone + Send + Sync + 'static>(
    router: OpenApiRouter<S>,
    alias: &str,
    canonical: &str,
    methods: MethodRouter<S>,
) -> OpenApiRouter<S> {
    let mut router = router.route(alias, methods);
    describe_also(router.get_openapi_mut(), alias, canonical, |operation| {
        operation.deprecated = Some(Deprecated::True);
        operation.summary = Some(format!("The same as {canonical}, for older clients."));
        operation.description = None;
    });
    router
}

/// Describes a path as another one is described, with what is different there.
///
/// # Panics
/// Nothing is described at `canonical`.
pub fn describe_also(document: &mut OpenApi, path: &str, canonical: &str, change: impl Fn(&mut Operation)) {
    let mut item = document.paths.paths.get(canonical).expect("what is described again is described").clone();
    let operations = [&mut item.get, &mut item.head, &mut item.post];
    for operation in operations.into_iter().filter_map(Option::as_mut) {
        operation.operation_id = None;
        change(operation);
    }
    document.paths.paths.insert(path.to_owned(), item);
}

async fn get_swagger_file(
    path: Result<Path<String>, PathRejection>,
    config: Arc<Config<'static>>,
) -> Result<Response, ApiError> {
    let not_found = || ApiError::not_found("not found");
    let Path(name) = path.map_err(|_| not_found())?;
    let found = utoipa_swagger_ui::serve(&name, config).map_err(|error| ApiError::internal(&*error))?;
    let found = found.ok_or_else(not_found)?;
    let content_type = HeaderValue::try_from(found.content_type).map_err(|error| ApiError::internal(&error))?;
    Ok(lasting(file(found.bytes.into_owned().into(), content_type)))
}

fn page(html: &'static str) -> Response {
    let mut response = file(Bytes::from_static(html.as_bytes()), HTML);
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, POLICY);
    response
}

fn file(content: Bytes, content_type: HeaderValue) -> Response {
    ([(CONTENT_TYPE, content_type)], content).into_response()
}

fn lasting(mut response: Response) -> Response {
    response.headers_mut().insert(CACHE_CONTROL, FOR_A_DAY);
    response
}
