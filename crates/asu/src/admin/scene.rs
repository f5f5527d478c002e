//! What every command works on: the queue and the store of the settings, and where its answer goes.

use asu_queue::Queue;
use asu_service::{Flags, load_settings};
use asu_store::Store;
use serde_json::Value;

use crate::{
    admin::error::AdminError,
    exit::Exit,
    output::{Output, harmless},
    serve::{Config, private_settings},
};

/// The server as its files and its Redis show it.
pub(super) struct Scene {
    pub(super) config: Config,
    pub(super) queue: Queue,
    pub(super) output: Output,
    json: bool,
}

impl Scene {
    /// Reads the settings; of `asu serve`, its private Redis is meant.
    pub(super) fn set(flags: &Flags, json: bool) -> Result<Self, AdminError> {
        let (settings, _) =
            private_settings(load_settings(flags)?).map_err(|error| AdminError::PrivateRedis(error.into()))?;
        let config = Config::load(&settings)?;
        let queue = Queue::connect(&config.build.queue)?;
        Ok(Self { config, queue, output: Output::new(json, false), json })
    }

    /// The store; opened by whoever needs it.
    pub(super) async fn store(&self) -> Result<Store, AdminError> {
        Ok(Store::open(&self.config.build.store).await?)
    }

    /// Tells what came of it: a document for scripts, or lines for people.
    pub(super) fn tell(&self, document: &Value, lines: &[String]) {
        if self.json {
            self.output.document(&document.to_string());
        } else {
            lines.iter().for_each(|line| self.output.result(&harmless(line)));
        }
    }

    /// The answer to a command about one thing: a word for scripts and a sentence for people.
    pub(super) fn answer(&self, name: &str, word: &str, sentence: &str, exit: Exit) -> Exit {
        let document = serde_json::json!({"name": name, "result": word, "ok": exit == Exit::Done});
        self.tell(&document, &[format!("{name}: {sentence}")]);
        exit
    }
}
