//! One request to the fake upstream, and its answer.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures::{StreamExt, stream};
use tokio::time;
use tower::ServiceExt;
use tower_http::services::ServeDir;

use super::{Behaviour, File, Shared, Validators};

/// Counts the request and does what the test wants done with it.
pub(super) async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let path = request.uri().path().trim_start_matches('/').to_owned();
    shared.change(|inner| *inner.hits.entry(path.clone()).or_default() += 1);
    loop {
        let behaviour = shared.lock().behaviour(&path).clone();
        return match behaviour {
            Behaviour::Hang => {
                wait_for_other_behaviour(&shared, &path).await;
                continue;
            }
            Behaviour::Delay(duration) => {
                time::sleep(duration).await;
                file(&shared, &path, request).await
            }
            Behaviour::Normal => file(&shared, &path, request).await,
            Behaviour::Status(status) => {
                (StatusCode::from_u16(status).expect("a test names real status codes"), "as the test wants\n")
                    .into_response()
            }
            Behaviour::Garbage => Bytes::from_static(b"\x00\xff<html>\xfe{{{").into_response(),
            Behaviour::WrongJson => r#"{"error": "maintenance", "list": [1, null]}"#.into_response(),
            Behaviour::Truncated => truncated(),
            Behaviour::Endless => endless().into_response(),
            Behaviour::Redirect(to) => (StatusCode::FOUND, [(header::LOCATION, format!("/{to}"))]).into_response(),
        };
    }
}

async fn wait_for_other_behaviour(shared: &Shared, path: &str) {
    let mut changes = shared.changes.subscribe();
    // The sender lives as long as `shared`, so that this can only end by the change.
    let _ = changes.wait_for(|()| *shared.lock().behaviour(path) != Behaviour::Hang).await;
}

async fn file(shared: &Shared, path: &str, request: Request) -> Response {
    let (file, validators, tree) = {
        let inner = shared.lock();
        (inner.files.get(path).cloned(), inner.validators, inner.tree.clone())
    };
    match (file, tree) {
        (Some(file), _) => in_memory(shared, path, &file, validators, request.headers()),
        (None, Some(tree)) => {
            let Ok(response) = ServeDir::new(tree).oneshot(request).await;
            response.into_response()
        }
        (None, None) => (StatusCode::NOT_FOUND, "not found\n").into_response(),
    }
}

fn in_memory(shared: &Shared, path: &str, file: &File, validators: Validators, asked: &HeaderMap) -> Response {
    let Some((name, condition, value)) = validator(file, validators) else {
        return file.body.clone().into_response();
    };
    if asked.get(condition) == Some(&value) {
        shared.change(|inner| *inner.not_modified.entry(path.to_owned()).or_default() += 1);
        return (StatusCode::NOT_MODIFIED, [(name, value)]).into_response();
    }
    ([(name, value)], file.body.clone()).into_response()
}

/// The header that the file has, the one that asks for it again, and the value of both.
fn validator(file: &File, validators: Validators) -> Option<(HeaderName, HeaderName, HeaderValue)> {
    let (name, condition, text) = match validators {
        Validators::None => return None,
        Validators::Etag => {
            let mut hasher = DefaultHasher::new();
            file.body.hash(&mut hasher);
            (header::ETAG, header::IF_NONE_MATCH, format!("\"{:x}\"", hasher.finish()))
        }
        Validators::LastModified => {
            let (minutes, seconds) = (file.revision / 60 % 60, file.revision % 60);
            let text = format!("Thu, 01 Jan 2026 00:{minutes:02}:{seconds:02} GMT");
            (header::LAST_MODIFIED, header::IF_MODIFIED_SINCE, text)
        }
    };
    Some((name, condition, HeaderValue::from_str(&text).expect("digits and letters only")))
}

/// The length of a body is not checked against its header when it is a stream.
fn truncated() -> Response {
    let start = stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(b"{\"profiles\": {"))]);
    let broken = stream::iter([Err(std::io::Error::other("the test wants a truncated body"))]);
    ([(header::CONTENT_LENGTH, "1000000")], Body::from_stream(start.chain(broken))).into_response()
}

fn endless() -> Body {
    let chunk = Bytes::from(vec![b' '; 64 * 1024]);
    Body::from_stream(stream::repeat(chunk).map(Ok::<_, std::io::Error>))
}
