//! `/store/{bin_dir}/{file}`: the images, whole or in part.

use std::{io::SeekFrom, ops::RangeInclusive};

use asu_service::{ApiError, ErrorBody};
use asu_store::{Access, BinDir, FileName, Opened, Redirect, Store, StoredFile};
use axum::{
    body::Body,
    extract::{Path, State, rejection::PathRejection},
    http::{
        HeaderMap, HeaderValue, Method, StatusCode,
        header::{
            ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG,
            IF_NONE_MATCH, IF_RANGE, LOCATION, RANGE,
        },
    },
    response::{IntoResponse, Response},
};
use http_range_header::RangeUnsatisfiableError;
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio_util::io::ReaderStream;

use crate::error::BuildError;

/// Read at a time: large enough that the trips to the thread that reads do not count.
const CHUNK: usize = 256 * 1024;

/// An image, whole or in part.
#[utoipa::path(get, path = "/store/{bin_dir}/{file}", tag = "images",
    params(
        ("bin_dir" = String, Path, description = "`bin_dir` of a finished build."),
        ("file" = String, Path, description = "The name of one of its `images`."),
        ("Range" = Option<String>, Header, description = "One range of bytes.", example = "bytes=0-1023"),
    ),
    responses(
        (status = 200, description = "The whole file.", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 206, description = "The part that was asked for.", body = Vec<u8>,
            content_type = "application/octet-stream"),
        (status = 302, description = "The file is at the address in `Location`."),
        (status = 304, description = "The file that the client has is the right one."),
        (status = 404, description = "There is no such file.", body = ErrorBody),
        (status = 416, description = "The range begins behind the end of the file.", body = ErrorBody),
        (status = 503, description = "The store is away.", body = ErrorBody),
    ),
)]
pub(crate) async fn get_file(
    State(store): State<Store>,
    method: Method,
    path: Result<Path<(String, String)>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    // What is no name of ours names no file of ours.
    let Path((bin_dir, file)) = path.map_err(|_| BuildError::UnknownFile)?;
    let bin_dir = BinDir::parse(&bin_dir).map_err(|_| BuildError::UnknownFile)?;
    let file = FileName::parse(&file).map_err(|_| BuildError::UnknownFile)?;
    let access = if method == Method::HEAD { Access::Head } else { Access::Get };
    match store.open_file(&bin_dir, &file, access).await.map_err(BuildError::from)? {
        Some(Opened::File(stored)) => serve(stored, &bin_dir, &file, &headers).await,
        Some(Opened::Redirect(redirect)) => Ok(elsewhere(redirect)),
        None => Err(BuildError::UnknownFile.into()),
    }
}

/// An address that is for one client alone must not be kept by what stands between.
fn elsewhere(Redirect { url, lasts }: Redirect) -> Response {
    let caching = match lasts {
        Some(lasts) => format!("public, max-age={}", lasts.as_secs()),
        None => "private, no-store".to_owned(),
    };
    (StatusCode::FOUND, [(LOCATION, url), (CACHE_CONTROL, caching)]).into_response()
}

async fn serve(
    stored: StoredFile,
    bin_dir: &BinDir,
    file: &FileName,
    request: &HeaderMap,
) -> Result<Response, ApiError> {
    // A directory belongs to one attempt at a build and is never changed: its name is the version of its files.
    let etag = HeaderValue::try_from(format!("\"{bin_dir}\"")).expect("hexadecimal digits and a hyphen");
    if request.get(IF_NONE_MATCH) == Some(&etag) {
        return Ok((StatusCode::NOT_MODIFIED, [(ETAG, etag)]).into_response());
    }
    let length = stored.length;
    let mut response = match wanted(request, &etag, length)? {
        Some(range) => part(stored, range).await.map_err(|error| ApiError::internal(&error))?,
        None => whole(stored),
    };
    let headers = response.headers_mut();
    let disposition = format!("attachment; filename=\"{file}\"");
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(CONTENT_DISPOSITION, HeaderValue::try_from(disposition).expect("a file name is plain ASCII"));
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=86400, immutable"));
    headers.insert(ETAG, etag);
    Ok(response)
}

/// The one range that is asked for. Several at once, another version's, a longer end than there is, anything of an empty
/// file and what cannot be read are answered with the whole file, as RFC 9110 allows.
fn wanted(request: &HeaderMap, etag: &HeaderValue, length: u64) -> Result<Option<RangeInclusive<u64>>, ApiError> {
    let other_version = request.get(IF_RANGE).is_some_and(|version| version != etag);
    let Some(text) = request.get(RANGE).and_then(|value| value.to_str().ok()).filter(|_| !other_version) else {
        return Ok(None);
    };
    if length == 0 {
        return Ok(None);
    }
    let Ok(parsed) = http_range_header::parse_range_header(text) else { return Ok(None) };
    match parsed.validate(length) {
        Ok(mut ranges) if ranges.len() == 1 => Ok(ranges.pop()),
        Err(RangeUnsatisfiableError::RangeReversed) => {
            let detail = format!("the file has {length} bytes, nothing of {text:?}");
            let error = ApiError::new(StatusCode::RANGE_NOT_SATISFIABLE, detail);
            Err(error.with_header(CONTENT_RANGE, &format!("bytes */{length}")))
        }
        Ok(_) | Err(_) => Ok(None),
    }
}

fn whole(stored: StoredFile) -> Response {
    let body = Body::from_stream(ReaderStream::with_capacity(stored.file, CHUNK));
    ([(CONTENT_LENGTH, stored.length)], body).into_response()
}

async fn part(stored: StoredFile, range: RangeInclusive<u64>) -> std::io::Result<Response> {
    let StoredFile { mut file, length, modified: _ } = stored;
    let (first, last) = range.into_inner();
    let size = last - first + 1;
    file.seek(SeekFrom::Start(first)).await?;
    let body = Body::from_stream(ReaderStream::with_capacity(file.take(size), CHUNK));
    let content_range = format!("bytes {first}-{last}/{length}");
    let headers = [(CONTENT_LENGTH, size.to_string()), (CONTENT_RANGE, content_range)];
    Ok((StatusCode::PARTIAL_CONTENT, headers, body).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(range: &str, length: u64, expected: Result<Option<RangeInclusive<u64>>, u16>) {
        let etag = HeaderValue::from_static("\"x\"");
        let request = HeaderMap::from_iter([(RANGE, HeaderValue::from_str(range).unwrap())]);
        let found = wanted(&request, &etag, length).map_err(|error| error.status().as_u16());
        assert_eq!(found, expected, "{range} of {length} bytes");
    }

    #[test]
    fn only_what_lies_behind_the_end_cannot_be_satisfied() {
        check("bytes=0-2", 6, Ok(Some(0..=2)));
        check("bytes=5-", 6, Ok(Some(5..=5)));
        check("bytes=-6", 6, Ok(Some(0..=5)));
        check("bytes=6-", 6, Err(416));
        for range in ["bytes=-7", "bytes=-0", "bytes=0-1,3-4", "bytes=0-2,1-3", "lines=0-1", "bytes=x"] {
            check(range, 6, Ok(None));
        }
        for range in ["bytes=0-", "bytes=0-0", "bytes=-1"] {
            check(range, 0, Ok(None));
        }
    }
}
