//! `//api/v1/build/` is `/api/v1/build`: clients whose server URL ends in a slash send such paths.

use axum::http::{Request, Uri, uri::PathAndQuery};

/// Collapses repeated slashes and drops the trailing one before the router looks at the path, for every method and
/// without a redirect, which `uclient` could not follow and which `///host/x` would turn into one to another host.
pub(crate) fn collapse_slashes<B>(mut request: Request<B>) -> Request<B> {
    if let Some(uri) = collapsed(request.uri()) {
        *request.uri_mut() = uri;
    }
    request
}

/// `None` if the path is fine as it is, which is nearly always.
fn collapsed(uri: &Uri) -> Option<Uri> {
    let path = uri.path();
    let fine = path.len() <= 1 || !(path.ends_with('/') || path.contains("//"));
    if fine || !path.starts_with('/') {
        return None;
    }
    let mut text: String = path.split('/').filter(|part| !part.is_empty()).flat_map(|part| ["/", part]).collect();
    if text.is_empty() {
        text.push('/');
    }
    if let Some(query) = uri.query() {
        text.push('?');
        text.push_str(query);
    }
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(text).ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_have_single_slashes_and_none_at_the_end() {
        for (sent, routed) in [
            ("//api/v1/build", "/api/v1/build"),
            ("/api//v1/build/", "/api/v1/build"),
            ("///host/x?a=//b/", "/host/x?a=//b/"),
            ("/api/v1/build///?1700000000", "/api/v1/build?1700000000"),
            ("//", "/"),
            ("http://host//a/", "http://host/a"),
        ] {
            let uri = collapsed(&sent.parse().unwrap()).unwrap();
            assert_eq!(uri.to_string(), routed, "{sent}");
        }
        for fine in ["/", "/a", "/a?b=//", "*", "/a/b%2F%2Fc"] {
            assert_eq!(collapsed(&fine.parse().unwrap()), None, "{fine}");
        }
    }
}
