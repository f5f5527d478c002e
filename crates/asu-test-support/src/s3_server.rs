//! A real S3 server over a directory, which a test can make slow, deaf, forgetful or dishonest.

mod faults;

use std::{fs, path::PathBuf};

use axum::{Router, error_handling::HandleError, http::StatusCode, middleware};
use s3s::{auth::SimpleAuth, service::S3ServiceBuilder};
use s3s_fs::FileSystem;
use tempfile::TempDir;

pub use self::faults::Fault;
use self::faults::Faults;
use crate::own_server::OwnServer;

/// The bucket that it has.
const BUCKET: &str = "images";
const ACCESS_KEY: &str = "asu";
const SECRET_KEY: &str = "only-for-tests";

/// An S3 server that checks signatures and checksums, and has one bucket. It ends when it is dropped.
pub struct S3Server {
    server: OwnServer,
    faults: Faults,
    directory: TempDir,
}

impl S3Server {
    /// A server with an empty bucket.
    ///
    /// # Panics
    /// No port, thread or directory can be had.
    pub async fn start() -> Self {
        let directory = TempDir::new().expect("a directory for the bucket");
        fs::create_dir(directory.path().join(BUCKET)).expect("a bucket is a directory");
        let files = FileSystem::new(directory.path()).expect("the directory can be served");
        let mut builder = S3ServiceBuilder::new(files);
        builder.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
        let service = HandleError::new(builder.build(), async |error: s3s::HttpError| {
            (StatusCode::INTERNAL_SERVER_ERROR, format!("{error:?}"))
        });
        let faults = Faults::default();
        let layer = middleware::from_fn_with_state(faults.clone(), faults::pass);
        let server = OwnServer::start(Router::new().fallback_service(service).layer(layer)).await;
        Self { server, faults, directory }
    }

    /// `http://127.0.0.1:PORT`; it stays the same while the server is away.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// The settings that name it, by their keys.
    pub fn settings(&self) -> Vec<(String, String)> {
        let url = self.url();
        let settings = [
            ("store_backend", "s3"),
            ("s3_endpoint", &url),
            ("s3_bucket", BUCKET),
            ("s3_access_key", ACCESS_KEY),
            ("s3_secret_key", SECRET_KEY),
        ];
        settings.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
    }

    /// Where the objects lie as files.
    pub fn bucket(&self) -> PathBuf {
        self.directory.path().join(BUCKET)
    }

    /// The names of all objects, sorted. Others may put and delete some meanwhile.
    pub fn objects(&self) -> Vec<String> {
        let bucket = self.bucket();
        let (mut directories, mut names) = (vec![bucket.clone()], Vec::new());
        while let Some(directory) = directories.pop() {
            // A directory goes with its last object.
            let Ok(entries) = fs::read_dir(directory) else { continue };
            for path in entries.flatten().map(|entry| entry.path()) {
                if path.is_dir() {
                    directories.push(path);
                } else {
                    let name = path.strip_prefix(&bucket).expect("it lies in the bucket");
                    names.push(name.display().to_string());
                }
            }
        }
        names.sort();
        names
    }

    /// The parts that were uploaded and belong to no object yet.
    ///
    /// # Panics
    /// The directory cannot be read.
    pub fn loose_parts(&self) -> usize {
        let entries = fs::read_dir(self.directory.path()).expect("the server's directory can be read");
        entries.filter(|entry| entry.as_ref().is_ok_and(|entry| is_part(&entry.file_name().to_string_lossy()))).count()
    }

    /// Requests of `method` whose path and query contain `part` meet with this fault, the first `after` of them not, and
    /// then `times`.
    pub fn inject(&self, method: &str, part: &str, fault: Fault, after: u64, times: u64) {
        self.faults.inject(method, part, fault, after, times);
    }

    /// No faults any more, also for requests that hang.
    pub fn behave(&self) {
        self.faults.clear();
    }

    /// How many requests of `method` came whose path and query contain `part`, whatever became of them.
    pub fn count(&self, method: &str, part: &str) -> usize {
        self.faults.count(method, part)
    }

    /// Stops listening and closes every connection.
    ///
    /// # Panics
    /// The port does not become free.
    pub async fn go_away(&self) {
        self.server.go_away().await;
    }

    /// Listens again on the same port.
    ///
    /// # Panics
    /// The port was taken by somebody else.
    pub async fn come_back(&self) {
        self.server.come_back().await;
    }
}

fn is_part(name: &str) -> bool {
    name.starts_with(".upload_id-")
}
