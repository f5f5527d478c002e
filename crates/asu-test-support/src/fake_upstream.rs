//! A downloads server on loopback that counts what it is asked for, and is slow, broken or away when a test says so.

mod answer;
mod open;

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::Router;
use bytes::Bytes;
use tokio::{sync::watch, time};

use crate::own_server::{OwnServer, PATIENCE};

/// How the fake answers. Everything but `Normal`, `Delay` and `Hang` happens to files that are not there, too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Behaviour {
    /// The file, or 404.
    Normal,
    /// The file, after a while.
    Delay(Duration),
    /// No answer until the behaviour changes; then the answer of the new behaviour.
    Hang,
    /// This status with a short text.
    Status(u16),
    /// 200 with bytes that are no text.
    Garbage,
    /// 200 with valid JSON that describes something else.
    WrongJson,
    /// 200 and the start of a body that is announced as longer; then the connection is closed.
    Truncated,
    /// 200 and a body without an end.
    Endless,
    /// 302 to another path of the fake.
    Redirect(String),
}

/// What the fake says about the age of its files, and compares when it is asked again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Validators {
    /// An `ETag` per content.
    Etag,
    /// A `Last-Modified` that moves with each change.
    LastModified,
    /// Nothing.
    None,
}

/// A fake of downloads.openwrt.org. It has threads of its own, so that it also answers while a test's are busy.
pub struct FakeUpstream {
    shared: Arc<Shared>,
    server: OwnServer,
}

/// What the server's threads and the test share.
struct Shared {
    inner: Mutex<Inner>,
    changes: watch::Sender<()>,
}

struct Inner {
    tree: Option<PathBuf>,
    files: HashMap<String, File>,
    revision: u64,
    everywhere: Behaviour,
    behaviours: HashMap<String, Behaviour>,
    validators: Validators,
    hits: HashMap<String, u64>,
    not_modified: HashMap<String, u64>,
}

#[derive(Clone)]
struct File {
    body: Bytes,
    revision: u64,
}

impl FakeUpstream {
    /// A server without any file.
    ///
    /// # Panics
    /// No port or thread can be had.
    pub async fn start() -> Self {
        Self::with_tree(None).await
    }

    /// A server of the files below a directory; files that a test puts come before them.
    ///
    /// # Panics
    /// The directory does not exist; no port or thread can be had.
    pub async fn serving(tree: &Path) -> Self {
        assert!(tree.is_dir(), "there is no directory {} to serve", tree.display());
        Self::with_tree(Some(tree.to_owned())).await
    }

    async fn with_tree(tree: Option<PathBuf>) -> Self {
        let inner = Inner {
            tree,
            files: HashMap::new(),
            revision: 0,
            everywhere: Behaviour::Normal,
            behaviours: HashMap::new(),
            validators: Validators::Etag,
            hits: HashMap::new(),
            not_modified: HashMap::new(),
        };
        let shared = Arc::new(Shared { inner: Mutex::new(inner), changes: watch::Sender::new(()) });
        let server = OwnServer::start(Router::new().fallback(answer::answer).with_state(Arc::clone(&shared))).await;
        Self { shared, server }
    }

    /// `http://127.0.0.1:PORT`, without a slash at the end. It stays the same while the server is away.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Serves the files below another directory from now on, as if upstream had published them.
    pub fn publish(&self, tree: &Path) {
        self.shared.change(|inner| inner.tree = Some(tree.to_owned()));
    }

    /// Puts a file, or replaces it. Paths are written without a slash at the front.
    pub fn put(&self, path: &str, body: impl Into<Bytes>) {
        self.shared.change(|inner| {
            inner.revision += 1;
            let file = File { body: body.into(), revision: inner.revision };
            inner.files.insert(path.to_owned(), file);
        });
    }

    /// Takes away a file that a test put.
    pub fn remove(&self, path: &str) {
        self.shared.change(|inner| {
            inner.files.remove(path);
        });
    }

    /// Changes what happens to one path; this goes before what happens everywhere.
    pub fn set(&self, path: &str, behaviour: Behaviour) {
        self.shared.change(|inner| {
            inner.behaviours.insert(path.to_owned(), behaviour);
        });
    }

    /// Changes what happens to every path that has no behaviour of its own.
    pub fn set_everywhere(&self, behaviour: Behaviour) {
        self.shared.change(|inner| inner.everywhere = behaviour);
    }

    /// Everything is normal again.
    pub fn behave(&self) {
        self.shared.change(|inner| {
            inner.behaviours.clear();
            inner.everywhere = Behaviour::Normal;
        });
    }

    /// Changes what is said about the age of files.
    pub fn set_validators(&self, validators: Validators) {
        self.shared.change(|inner| inner.validators = validators);
    }

    /// How often a path was asked for, whatever the answer.
    pub fn hits(&self, path: &str) -> u64 {
        self.shared.lock().hits.get(path).copied().unwrap_or_default()
    }

    /// How often anything was asked for.
    pub fn total_hits(&self) -> u64 {
        self.shared.lock().hits.values().sum()
    }

    /// Every path that was asked for, whatever the answer.
    pub fn asked(&self) -> Vec<String> {
        self.shared.lock().hits.keys().cloned().collect()
    }

    /// How often a file put by a test was answered with 304.
    pub fn not_modified(&self, path: &str) -> u64 {
        self.shared.lock().not_modified.get(path).copied().unwrap_or_default()
    }

    /// Waits until a path was asked for this often.
    ///
    /// # Panics
    /// It takes longer than any test should.
    pub async fn wait_for_hits(&self, path: &str, hits: u64) {
        let mut changes = self.shared.changes.subscribe();
        let reached = changes.wait_for(|()| self.hits(path) >= hits);
        let Ok(Ok(_)) = time::timeout(PATIENCE, reached).await else {
            panic!("{path} was asked for {} times, not {hits}", self.hits(path));
        };
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

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change<T>(&self, change: impl FnOnce(&mut Inner) -> T) -> T {
        let result = change(&mut self.lock());
        self.changes.send_replace(());
        result
    }
}

impl Inner {
    fn behaviour(&self, path: &str) -> &Behaviour {
        self.behaviours.get(path).unwrap_or(&self.everywhere)
    }
}
