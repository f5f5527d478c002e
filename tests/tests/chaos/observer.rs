//! Looks into Redis and the store all the time, from outside.

use std::{
    collections::{BTreeMap, HashMap},
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use serde_json::Value;
use tokio::{task::JoinHandle, time::sleep};
use tokio_util::sync::CancellationToken;

use crate::{
    history::{Directory, Hold, Moment, Sighting},
    resp::Resp,
};

/// Between two looks into Redis, and into the store.
const LOOK: Duration = Duration::from_millis(40);
const STORE_LOOK: Duration = Duration::from_millis(4);

/// The whole queue in one step. An empty table of Lua is `{}`, whatever it was meant to be.
const SCRIPT: &str = "local p = ARGV[1] local t = redis.call('TIME') local running = {}
for _, h in ipairs(redis.call('ZRANGE', p .. 'running', 0, -1)) do
  local v = redis.call('HMGET', p .. 'b:' .. h, 'token', 'worker')
  table.insert(running, {h, v[1] or '', v[2] or '', redis.call('ZSCORE', p .. 'running', h)})
end
return cjson.encode({now = t[1] * 1000 + math.floor(t[2] / 1000), running = running,
  run_id = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)'),
  pending = redis.call('ZRANGE', p .. 'pending', 0, -1), delayed = redis.call('ZRANGE', p .. 'delayed', 0, -1)})";

/// What every key of the server begins with.
pub(crate) const PREFIX: &str = "{asu}:";

/// The eyes on a running server.
pub(crate) struct Observer {
    started: Instant,
    stop: CancellationToken,
    sightings: Arc<Mutex<Vec<Sighting>>>,
    store: PathBuf,
    directories: Arc<Mutex<HashMap<String, Directory>>>,
    tasks: Vec<JoinHandle<()>>,
}

impl Observer {
    pub(crate) fn start(redis: u16, store: PathBuf, started: Instant) -> Self {
        let stop = CancellationToken::new();
        let (sightings, directories) = (Arc::default(), Arc::default());
        let watched = watch_redis(Resp::new(redis), started, Arc::clone(&sightings), stop.clone());
        let tasks = vec![tokio::spawn(watched)];
        watch_store(store.clone(), started, Arc::clone(&directories), stop.clone());
        Self { started, stop, sightings, store, directories, tasks }
    }

    pub(crate) fn now(&self) -> Moment {
        since(self.started)
    }

    /// True if images were published after that.
    pub(crate) fn published_since(&self, moment: Moment) -> bool {
        self.directories.lock().unwrap().values().any(|directory| directory.seen > moment)
    }

    /// Everything that was seen.
    pub(crate) async fn finish(self) -> (Vec<Sighting>, Vec<Directory>) {
        self.stop.cancel();
        for task in self.tasks {
            task.await.unwrap();
        }
        let mut directories: Vec<_> = self.directories.lock().unwrap().values().cloned().collect();
        directories.sort_by_key(|directory| directory.seen);
        for directory in &mut directories {
            directory.at_last = contents(&self.store.join(&directory.name)).ok();
        }
        let sightings = self.sightings.lock().unwrap().clone();
        (sightings, directories)
    }
}

pub(crate) fn since(started: Instant) -> Moment {
    u64::try_from(started.elapsed().as_millis()).expect("a run is no million years long")
}

async fn watch_redis(mut redis: Resp, started: Instant, seen: Arc<Mutex<Vec<Sighting>>>, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let asked = redis.ask(&["EVAL", SCRIPT, "0", PREFIX]).await;
        // While Redis is away there is nothing to see.
        if let Some(mut sighting) = asked.ok().and_then(|reply| parse(&reply.text())) {
            sighting.at = since(started);
            seen.lock().unwrap().push(sighting);
        }
        sleep(LOOK).await;
    }
}

fn parse(text: &str) -> Option<Sighting> {
    let value: Value = serde_json::from_str(text).ok()?;
    let texts = |key: &str| value[key].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned);
    let held = |entry: &Value| {
        let text = |at: usize| entry[at].as_str().unwrap_or_default().to_owned();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "milliseconds since 1970")]
        let lease_end = text(3).parse::<f64>().unwrap_or_default() as u64;
        (text(0), Hold { token: text(1), worker: text(2), lease_end })
    };
    Some(Sighting {
        at: 0,
        run_id: value["run_id"].as_str()?.to_owned(),
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "milliseconds since 1970")]
        now: value["now"].as_f64()? as u64,
        pending: texts("pending").collect(),
        delayed: texts("delayed").collect(),
        running: value["running"].as_array().into_iter().flatten().map(held).collect(),
    })
}

/// On a thread of its own, so that it looks often: what is published half-made is half-made for a short time only.
fn watch_store(
    store: PathBuf,
    started: Instant,
    seen: Arc<Mutex<HashMap<String, Directory>>>,
    stop: CancellationToken,
) {
    std::thread::spawn(move || {
        while !stop.is_cancelled() {
            look(&store, started, &seen);
            #[expect(clippy::disallowed_methods, reason = "a thread of its own")]
            std::thread::sleep(STORE_LOOK);
        }
    });
}

fn look(store: &Path, started: Instant, seen: &Mutex<HashMap<String, Directory>>) {
    for name in names(store) {
        let known = seen.lock().unwrap().contains_key(&name);
        if known || !is_published(&name) {
            continue;
        }
        if let Ok(at_first) = contents(&store.join(&name)) {
            let directory = Directory { name: name.clone(), seen: since(started), at_first, at_last: None };
            seen.lock().unwrap().insert(name, directory);
        }
    }
}

pub(crate) fn names(store: &Path) -> Vec<String> {
    let entries = fs::read_dir(store).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

/// `<request_hash>-<12 digits of the token>`
pub(crate) fn is_published(name: &str) -> bool {
    let of = |text: &str, length| text.len() == length && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    name.split_once('-').is_some_and(|(hash, token)| of(hash, 64) && of(token, 12))
}

fn contents(directory: &Path) -> io::Result<BTreeMap<String, u64>> {
    fs::read_dir(directory)?
        .map(|entry| {
            let entry = entry?;
            Ok((entry.file_name().to_string_lossy().into_owned(), entry.metadata()?.len()))
        })
        .collect()
}
