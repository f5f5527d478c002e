//! The keys of the queue.

use asu_core::RequestHash;

use crate::ClientKey;

/// Every key and channel of the queue, in the order of `prelude.lua`.
#[derive(Debug)]
pub(crate) struct Keys {
    shared: [String; 6],
    records: String,
    durations: String,
    clients: String,
    logs: String,
    stats: String,
    id: String,
    stored: String,
    drained: String,
    turn: String,
    images: String,
    /// The channel on which workers listen.
    pub(crate) wake: String,
}

impl Keys {
    pub(crate) fn new(prefix: &str) -> Self {
        let key = |name: &str| format!("{prefix}{name}");
        let wake = key("wake");
        let shared = [key("pending"), key("running"), key("delayed"), key("seq"), key("workers"), wake.clone()];
        Self {
            shared,
            records: key("b:"),
            durations: key("durations"),
            clients: key("client:"),
            logs: key("l:"),
            stats: key("stats:"),
            id: key("id"),
            stored: key("stored"),
            drained: key("drained"),
            turn: key("sweeper"),
            images: key("images"),
            wake,
        }
    }

    /// What the queue is known by.
    pub(crate) fn id(&self) -> String {
        self.id.clone()
    }

    /// KEYS of a script about one build.
    pub(crate) fn of(&self, request_hash: &RequestHash) -> Vec<String> {
        self.with(self.record(request_hash))
    }

    /// KEYS of `enqueue.lua`.
    pub(crate) fn of_new(&self, request_hash: &RequestHash, client: Option<&ClientKey>) -> Vec<String> {
        let mut keys = self.of(request_hash);
        if let Some(client) = client {
            keys.extend(["waiting", "recent"].map(|list| format!("{}{client}:{list}", self.clients)));
        }
        keys
    }

    /// KEYS of a script about whichever builds it finds.
    pub(crate) fn of_all(&self) -> Vec<String> {
        self.with(self.records.clone())
    }

    /// KEYS of a script about the log of one build: the log comes last.
    pub(crate) fn of_log(&self, request_hash: &RequestHash) -> Vec<String> {
        let log = format!("{}{request_hash}", self.logs);
        self.of(request_hash).into_iter().chain([log]).collect()
    }

    pub(crate) fn record(&self, request_hash: &RequestHash) -> String {
        format!("{}{request_hash}", self.records)
    }

    /// What the keys of all records begin with.
    pub(crate) fn records(&self) -> &str {
        &self.records
    }

    /// Where builds stand that have not ended: in line, at work, put off.
    pub(crate) fn lines(&self) -> &[String] {
        &self.shared[..3]
    }

    /// The list of stored images.
    pub(crate) fn stored(&self) -> &str {
        &self.stored
    }

    /// The workers that shall take no builds.
    pub(crate) fn drained(&self) -> &str {
        &self.drained
    }

    /// KEYS of `turn.lua`.
    pub(crate) fn of_turn(&self) -> Vec<String> {
        self.of_all().into_iter().chain([self.turn.clone()]).collect()
    }

    /// The ImageBuilder images by their latest use.
    pub(crate) fn images(&self) -> &str {
        &self.images
    }

    /// KEYS of the scripts about ImageBuilder images.
    pub(crate) fn of_images(&self) -> Vec<String> {
        self.of_all().into_iter().chain([self.images.clone()]).collect()
    }

    /// The list of the builds that failed.
    pub(crate) fn failures(&self) -> String {
        format!("{}errors", self.stats)
    }

    fn with(&self, record: String) -> Vec<String> {
        let others = [record, self.durations.clone(), self.stats.clone(), self.stored.clone(), self.drained.clone()];
        self.shared.iter().cloned().chain(others).collect()
    }
}
